import { randomBytes } from 'node:crypto';
import { createId } from '#base';
import { pickAddress } from './address-pool.ts';
import { formatIpv4, type Ipv4, parseSubnet } from './ipv4.ts';
import type { InterfacePlan } from './kernel.ts';
import { macFromIpv4 } from './mac.ts';
import { isInterContainer } from './network-options.ts';
import type { SandboxRegistry } from './sandbox-registry.ts';
import type { StoredNetwork } from './stored.ts';
import type { Endpoint, EndpointRequest } from './types.ts';

const CONTAINER_INTERFACE = 'eth0';
const HOST_PREFIX = 'veth';

/**
 * Gives a container its place in a bridge network. Nothing is kept but in `sandboxes`, which the caller adds
 * the result to before anybody else is asked.
 * @throws what {@link pickAddress} throws.
 */
export function planEndpoint(
  network: StoredNetwork,
  sandboxes: SandboxRegistry,
  request: EndpointRequest,
  previous: Ipv4 | undefined,
): { readonly endpoint: Endpoint; readonly address: Ipv4 } {
  const taken = sandboxes.addressesIn(network.id);
  const own = network.bridgeAddress?.split('/')[0];
  const { address, config } = pickAddress({
    source: network,
    isTaken: (candidate) => {
      const text = formatIpv4(candidate);
      return text === own || taken.has(text);
    },
    ...(request.ipv4Address ? { requested: request.ipv4Address } : {}),
    ...(previous === undefined ? {} : { previous }),
  });
  const endpoint: Endpoint = {
    ...emptyEndpoint(network),
    interfaceName: CONTAINER_INTERFACE,
    hostInterface: freshInterfaceName(sandboxes),
    macAddress: request.macAddress?.toLowerCase() || macFromIpv4(address),
    ipv4Address: formatIpv4(address),
    ipv4PrefixLength: parseSubnet(config.subnet).prefixLength,
    gateway: network.internal ? '' : config.gateway,
  };
  return { endpoint, address };
}

/** The endpoint of a network without interfaces (`none`, `host`): an identity only. */
export const emptyEndpoint = (network: StoredNetwork): Endpoint => ({
  id: createId(),
  networkId: network.id,
  networkName: network.name,
  interfaceName: '',
  hostInterface: '',
  macAddress: '',
  ipv4Address: '',
  ipv4PrefixLength: 0,
  gateway: '',
  ipv6Address: '',
  ipv6PrefixLength: 0,
  ipv6Gateway: '',
});

export const interfacePlan = (endpoint: Endpoint, network: StoredNetwork): InterfacePlan => ({
  name: endpoint.interfaceName,
  hostName: endpoint.hostInterface,
  bridge: network.bridgeName ?? '',
  mac: endpoint.macAddress,
  mtu: network.mtu,
  address: `${endpoint.ipv4Address}/${endpoint.ipv4PrefixLength}`,
  gateway: endpoint.gateway,
  isolated: !isInterContainer(network),
});

function freshInterfaceName(sandboxes: SandboxRegistry): string {
  for (;;) {
    const name = HOST_PREFIX + randomBytes(4).toString('hex').slice(0, 7);
    if (!sandboxes.hasInterface(name)) return name;
  }
}
