import type { NetworkSummary } from '#api';
import { shortId } from '#base';
import { Struct } from '../template/values.ts';
import type { ListLayout } from './list.ts';
import { goTimeOfText, joinLabels, labelOf } from './text.ts';

/** Columns of `network ls`. */
export const NETWORK_LAYOUT: ListLayout = {
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
  table: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
  quiet: 'ID',
};

/** One network as templates see it. */
export function networkRow(network: NetworkSummary, options: { readonly truncate: boolean }): Struct {
  return new Struct('*network.networkContext', {
    ID: () => (options.truncate ? shortId(network.Id) : network.Id),
    Name: () => network.Name,
    Driver: () => network.Driver,
    Scope: () => network.Scope,
    IPv4: () => String(network.EnableIPv4 ?? false),
    IPv6: () => String(network.EnableIPv6 ?? false),
    Internal: () => String(network.Internal ?? false),
    Labels: () => joinLabels(network.Labels),
    Label: (name: string) => labelOf(network.Labels, name),
    CreatedAt: () => goTimeOfText(network.Created),
  });
}
