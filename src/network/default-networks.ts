import { createId } from '#base';
import {
  bipWithExistingBridge,
  gatewayOutsideSubnet,
  invalidAddress,
  invalidSubnet,
  rangeOutsideSubnet,
} from './errors.ts';
import {
  containsAddress,
  formatIpv4,
  formatSubnet,
  type Ipv4,
  lastAddress,
  parseSubnet,
  type Subnet,
  tryParseCidr,
  tryParseIpv4,
} from './ipv4.ts';
import type { HostFacts } from './kernel.ts';
import { defaultBridgeOptions } from './network-options.ts';
import type { DefaultBridgeOptions } from './options.ts';
import type { StoredNetwork } from './stored.ts';
import { type AddressPoolOption, chooseSubnet, type OccupiedSubnet } from './subnet-choice.ts';
import type { IpamConfig } from './types.ts';

const DEFAULT_MTU = 1500;

/** The three networks every engine has (two without a bridge), as the options and the machine want them now. */
export function planDefaultNetworks(
  input: Omit<BridgeInput, 'previous' | 'bridgeName'> & {
    readonly stored: readonly StoredNetwork[];
    /** The bridge to use: see `chooseBridge`. Undefined: no bridge network. */
    readonly bridgeName: string | undefined;
  },
): StoredNetwork[] {
  const named = (name: string) => input.stored.find((network) => network.name === name);
  const { bridgeName } = input;
  return [
    ...(bridgeName === undefined ? [] : [planBridge({ ...input, bridgeName, previous: named('bridge') })]),
    named('host') ?? plainNetwork('host', 'host', input.now),
    named('none') ?? plainNetwork('none', 'null', input.now),
  ];
}

interface BridgeInput {
  readonly previous: StoredNetwork | undefined;
  readonly facts: HostFacts;
  readonly bridge: DefaultBridgeOptions;
  readonly pools: readonly AddressPoolOption[];
  readonly bridgeName: string;
  /** Sandboxes live on the default bridge: its addresses stay as they are. */
  readonly isBridgeInUse: boolean;
  readonly hasFirewall: boolean;
  readonly defaultHostIp: string | undefined;
  readonly now: Date;
}

function planBridge(input: BridgeInput): StoredNetwork {
  const { previous, facts, bridge, bridgeName: name, now } = input;
  const isSame = previous?.bridgeName === name;
  const exists = facts.links.some((link) => link.name === name);
  // Names we choose ourselves belong to us; a bridge found under a name the user gave is the user's.
  const ownsBridge = isSame ? previous.ownsBridge : !exists || bridge.name === undefined;
  if (!ownsBridge && bridge.bip) throw bipWithExistingBridge();
  const mtu = bridge.mtu ?? DEFAULT_MTU;
  const keepsAddresses = isSame && input.isBridgeInUse;
  const addresses = keepsAddresses
    ? { ipam: previous.ipam, bridgeAddress: previous.bridgeAddress }
    : planAddresses(input, name, ownsBridge, isSame);
  return {
    ...plainNetwork('bridge', 'bridge', now),
    ...(previous ? { id: previous.id, created: previous.created } : {}),
    ...addresses,
    bridgeName: name,
    ownsBridge,
    mtu,
    options: defaultBridgeOptions({
      bridge: name,
      mtu,
      masquerade: (bridge.masquerade ?? true) && input.hasFirewall,
      interContainer: bridge.interContainer ?? true,
      hostIp: input.defaultHostIp || '0.0.0.0',
    }),
  };
}

type Addresses = Pick<StoredNetwork, 'ipam' | 'bridgeAddress'>;

function planAddresses(input: BridgeInput, name: string, ownsBridge: boolean, isSame: boolean): Addresses {
  const { defaultGateway, fixedCidr } = input.bridge;
  const { subnet, host } = bridgeAddress(input, name, ownsBridge, isSame);
  if (defaultGateway) checkGateway(defaultGateway, subnet);
  const range = fixedCidr ? parseSubnet(fixedCidr) : undefined;
  if (range && !(containsAddress(subnet, range.address) && range.prefixLength >= subnet.prefixLength)) {
    throw rangeOutsideSubnet(formatSubnet(range), formatSubnet(subnet));
  }
  const config: IpamConfig = {
    subnet: formatSubnet(subnet),
    gateway: defaultGateway || formatIpv4(host),
    ...(range ? { ipRange: formatSubnet(range) } : {}),
  };
  return { ipam: [config], bridgeAddress: `${formatIpv4(host)}/${subnet.prefixLength}` };
}

function checkGateway(gateway: string, subnet: Subnet): void {
  const address = tryParseIpv4(gateway);
  if (address === undefined) throw invalidAddress(gateway);
  if (!containsAddress(subnet, address)) throw gatewayOutsideSubnet(gateway, formatSubnet(subnet));
}

interface BridgeAddress {
  readonly host: Ipv4;
  readonly subnet: Subnet;
}

/** In order: what `--bip` says, what a foreign bridge has, what was used last, a free network of the pools. */
function bridgeAddress(
  { bridge, facts, pools, previous }: BridgeInput,
  name: string,
  ownsBridge: boolean,
  isSame: boolean,
): BridgeAddress {
  if (bridge.bip) return parseBridgeAddress(bridge.bip);
  const present = ownsBridge ? undefined : addressOf(facts, name);
  if (present) return parseBridgeAddress(present);
  const remembered = isSame ? previous?.ipam[0]?.subnet : undefined;
  // A range asked for without an address says where the network has to be.
  if (bridge.fixedCidr && !remembered) return firstHost(parseSubnet(bridge.fixedCidr));
  const preferred = remembered ? [{ base: remembered, size: parseSubnet(remembered).prefixLength }] : [];
  return firstHost(chooseSubnet([...preferred, ...pools], occupiedSubnets(facts, name)));
}

function parseBridgeAddress(cidr: string): BridgeAddress {
  const parsed = tryParseCidr(cidr);
  const isHost =
    parsed && parsed.host !== parsed.subnet.address && parsed.host !== lastAddress(parsed.subnet);
  if (!isHost) throw invalidSubnet(cidr);
  return parsed;
}

const firstHost = (subnet: Subnet): BridgeAddress => ({ subnet, host: subnet.address + 1 });

const addressOf = (facts: HostFacts, interfaceName: string): string | undefined =>
  facts.addresses.find(
    ({ cidr, interfaceName: name }) => name === interfaceName && tryParseCidr(cidr) !== undefined,
  )?.cidr;

/** What the host's addresses and routes take up, those of `ownBridge` left out. */
export function occupiedSubnets(facts: HostFacts, ownBridge: string): OccupiedSubnet[] {
  const entries = [
    ...facts.addresses.map(({ cidr, interfaceName }) => ({ text: cidr, interfaceName })),
    ...facts.routes.map(({ destination, interfaceName }) => ({ text: destination, interfaceName })),
  ];
  return entries.flatMap(({ text, interfaceName }) => {
    const parsed = interfaceName === ownBridge ? undefined : tryParseCidr(text);
    return parsed && parsed.subnet.prefixLength > 0
      ? [{ subnet: parsed.subnet, holder: interfaceName || 'route' }]
      : [];
  });
}

const plainNetwork = (name: string, driver: StoredNetwork['driver'], now: Date): StoredNetwork => ({
  id: createId(),
  name,
  driver,
  created: now.toISOString(),
  internal: false,
  attachable: false,
  enableIPv6: false,
  ipam: [],
  options: {},
  labels: {},
  bridgeName: undefined,
  bridgeAddress: undefined,
  ownsBridge: false,
  mtu: DEFAULT_MTU,
});
