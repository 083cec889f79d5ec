import type { EndpointResource, NetworkInspect, NetworkSummary } from '#api';
import type { Endpoint, Network } from '#network';
import { byKey, omitEmpty } from './zero.ts';

export function fromNetwork(network: Network): NetworkSummary {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: network.ipam.map(({ subnet, ipRange, gateway }) => ({
        Subnet: subnet,
        ...omitEmpty('IPRange', ipRange),
        ...omitEmpty('Gateway', gateway),
      })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: byKey(network.options),
    Labels: byKey(network.labels),
  };
}

export interface NetworkMember {
  readonly containerId: string;
  readonly containerName: string;
  readonly endpoint: Endpoint;
}

export function inspectNetwork(network: Network, members: readonly NetworkMember[]): NetworkInspect {
  return {
    ...fromNetwork(network),
    Containers: byKey(
      Object.fromEntries(members.map((member) => [member.containerId, endpointResource(member)])),
    ),
  };
}

function endpointResource({ containerName, endpoint }: NetworkMember): EndpointResource {
  return {
    Name: containerName,
    EndpointID: endpoint.id,
    MacAddress: endpoint.macAddress,
    IPv4Address: withPrefix(endpoint.ipv4Address, endpoint.ipv4PrefixLength),
    IPv6Address: withPrefix(endpoint.ipv6Address, endpoint.ipv6PrefixLength),
  };
}

const withPrefix = (address: string, length: number): string =>
  address === '' ? '' : `${address}/${length}`;
