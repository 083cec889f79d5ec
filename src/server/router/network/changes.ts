import {
  type Filters,
  type NetworkConnectRequest,
  type NetworkCreateRequest,
  type NetworkDisconnectRequest,
  networkConnectRequest,
  networkCreateRequest,
  networkDisconnectRequest,
  requireFilterKeys,
} from '#api';
import { filters } from '../../http/query.ts';
import { json, noContent, ok } from '../../http/reply.ts';
import { checkUntil } from '../prune-filters.ts';
import { type Call, type Route, route } from '../route.ts';
import type { NetworkBackend } from './backend.ts';

/** Of routes that have nothing to work on. */
const NO_NETWORKS = 'there are no user-defined networks yet';
const PRUNE_KEYS = ['label', 'label!', 'until'];

/** What changes networks. Only predefined ones exist: most is refused, and there is nothing to prune. */
export function networkChangeRoutes(backend: NetworkBackend): Route[] {
  return [
    route({
      name: 'NetworkCreate',
      method: 'POST',
      path: '/networks/create',
      summary: 'Makes a network.',
      refused: NO_NETWORKS,
      body: networkCreateRequest,
      bodyRequired: true,
      handle: ({ body }: Call<object, NetworkCreateRequest>) =>
        backend.create(body.Name ?? '', body.Driver ?? ''),
    }),
    route({
      name: 'NetworkDelete',
      method: 'DELETE',
      path: '/networks/{id}',
      summary: 'Removes a network. Predefined ones stay.',
      handle: ({ target }: Call<object, undefined>) => {
        backend.remove(target);
        return noContent();
      },
    }),
    route({
      name: 'NetworkConnect',
      method: 'POST',
      path: '/networks/{id}/connect',
      summary: 'Plugs a container in.',
      refused: NO_NETWORKS,
      body: networkConnectRequest,
      bodyRequired: true,
      handle: ({ target, body }: Call<object, NetworkConnectRequest>) => {
        backend.connect(target, body.Container ?? '');
        return ok();
      },
    }),
    route({
      name: 'NetworkDisconnect',
      method: 'POST',
      path: '/networks/{id}/disconnect',
      summary: 'Plugs a container out.',
      refused: NO_NETWORKS,
      body: networkDisconnectRequest,
      bodyRequired: true,
      handle: ({ target, body }: Call<object, NetworkDisconnectRequest>) => {
        backend.disconnect(target, body.Container ?? '');
        return ok();
      },
    }),
    route({
      name: 'NetworkPrune',
      method: 'POST',
      path: '/networks/prune',
      since: 25,
      summary: 'Removes unused user-defined networks.',
      params: { filters },
      handle: ({ query }: Call<{ filters: Filters }, undefined>) => {
        requireFilterKeys(query.filters, PRUNE_KEYS);
        checkUntil(query.filters);
        return json({ NetworksDeleted: null });
      },
    }),
  ];
}
