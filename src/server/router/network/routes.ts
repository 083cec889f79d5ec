import type { Filters } from '#api';
import { fromNetwork, inspectNetwork } from '../../convert/network.ts';
import { filters, flag, text } from '../../http/query.ts';
import { json } from '../../http/reply.ts';
import { type Call, type Route, route } from '../route.ts';
import type { NetworkBackend } from './backend.ts';
import { filterNetworks } from './filter.ts';

export function networkRoutes(backend: NetworkBackend): Route[] {
  const on = networkHandlers(backend);
  return [
    route({
      name: 'NetworkList',
      method: 'GET',
      path: '/networks',
      summary: 'Networks.',
      params: { filters },
      handle: on.list,
    }),
    route({
      name: 'NetworkInspect',
      method: 'GET',
      path: '/networks/{id}',
      summary: 'One network with the containers plugged into it.',
      params: { verbose: flag, scope: text },
      handle: on.inspect,
    }),
  ];
}

function networkHandlers(backend: NetworkBackend) {
  return {
    list({ query }: Call<{ filters: Filters }, undefined>) {
      const isUsed = ({ id }: { id: string }) => backend.endpointsOf(id).length > 0;
      return json(filterNetworks(backend.list(), query.filters, isUsed).map(fromNetwork));
    },
    inspect({ target }: Call<object, undefined>) {
      const network = backend.get(target);
      const members = backend.endpointsOf(network.id).map(({ containerId, endpoint }) => ({
        containerId,
        containerName: backend.containerName(containerId) ?? '',
        endpoint,
      }));
      return json(inspectNetwork(network, members));
    },
  };
}
