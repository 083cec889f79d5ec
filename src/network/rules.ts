import type { Protocol } from './types.ts';

/** What the rules need to know of one bridge network. */
export interface BridgeRules {
  readonly bridge: string;
  /** The network of the bridge. */
  readonly subnet: string;
  /** The part of it that is ours to protect: all of it, or what containers get of a foreign bridge. */
  readonly guarded: string;
  readonly masquerade: boolean;
  /** No way in or out. */
  readonly internal: boolean;
}

/** One DNAT entry. `hostIp` `0.0.0.0` means every address of the host. IPv6 is not in the rules. */
export interface PortRule {
  readonly protocol: Protocol;
  readonly hostIp: string;
  readonly hostPort: number;
  readonly targetIp: string;
  readonly targetPort: number;
}

const ANY_ADDRESS = '0.0.0.0';

/** The family and name of our table, derived from the bridge so that daemons side by side do not meet. */
export function tableName(bridgeName: string, defaultBridge: string): string {
  if (bridgeName === defaultBridge) return 'gantry';
  return `gantry_${bridgeName.replace(/[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16)}`)}`;
}

/**
 * The whole table as one transaction that replaces what was there. Rules are constant; what varies is in
 * sets and maps, so that a container costs O(1) elements.
 */
export function renderTable(
  table: string,
  networks: readonly BridgeRules[],
  ports: readonly PortRule[],
): string {
  const masquerade = networks.filter((network) => network.masquerade && !network.internal);
  return [
    `add table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    renderSet(
      'bridges',
      'type ifname',
      networks.map(({ bridge }) => quote(bridge)),
    ),
    renderSet(
      'internal',
      'type ifname',
      networks.filter((n) => n.internal).map(({ bridge }) => quote(bridge)),
    ),
    renderSet(
      'peers',
      'type ifname . ifname',
      networks.map(({ bridge }) => `${quote(bridge)} . ${quote(bridge)}`),
    ),
    renderSet(
      'guarded',
      'type ipv4_addr; flags interval',
      networks.map(({ guarded }) => guarded),
    ),
    renderSet(
      'outbound',
      'type ipv4_addr; flags interval',
      masquerade.map(({ subnet }) => subnet),
    ),
    renderSet(
      'neighbours',
      'type ipv4_addr . ifname; flags interval',
      networks.map(({ subnet, bridge }) => `${subnet} . ${quote(bridge)}`),
    ),
    renderMap('ports', 'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service', ports, false),
    renderMap('any_ports', 'type inet_proto . inet_service : ipv4_addr . inet_service', ports, true),
    CHAINS,
    '}',
  ].join('\n');
}

/*
 * guard: what claims to come from or go to loopback but arrives on a wire is dropped before NAT, so that a
 *   port published on 127.0.0.1 stays on this machine and route_localnet opens nothing to containers.
 * forwarding: into our networks come answers, published ports and neighbours of the same bridge; all else is
 *   dropped. Traffic that does not concern our networks passes untouched.
 * postrouting: a container that reaches a neighbour through the host's address must see the answer come back
 *   the same way; loopback sources cannot leave the host as they are.
 */
const CHAINS = `
  chain guard {
    type filter hook prerouting priority -150; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    dnat ip to ip daddr . meta l4proto . th dport map @ports
    fib daddr type local dnat ip to meta l4proto . th dport map @any_ports
  }
  chain output {
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr . meta l4proto . th dport map @ports
    fib daddr type local dnat ip to meta l4proto . th dport map @any_ports
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 127.0.0.0/8 oifname @bridges masquerade
    ct status dnat ip saddr . oifname @neighbours masquerade
    ip saddr . oifname @neighbours return
    ip saddr @outbound masquerade
  }
  chain forwarding {
    type filter hook forward priority 0; policy accept;
    iifname . oifname @peers accept
    iifname @internal drop
    oifname @internal drop
    ct state established,related accept
    ct status dnat accept
    oifname @bridges ip daddr @guarded drop
  }`;

/** Commands that add DNAT entries; empty without entries. Adding what is there already is fine. */
export const renderAddPorts = (table: string, ports: readonly PortRule[]): string =>
  renderElements('add', table, ports, (port) => `${keyOf(port)} : ${targetOf(port)}`);

/** Commands that remove DNAT entries. The transaction fails when one is not there. */
export const renderDeletePorts = (table: string, ports: readonly PortRule[]): string =>
  renderElements('delete', table, ports, keyOf);

export const renderDeleteTable = (table: string): string =>
  `add table inet ${table}\ndelete table inet ${table}`;

function renderElements(
  verb: 'add' | 'delete',
  table: string,
  ports: readonly PortRule[],
  render: (port: PortRule) => string,
): string {
  const maps = [
    ['ports', ports.filter((port) => !isAny(port))],
    ['any_ports', ports.filter(isAny)],
  ] as const;
  return maps
    .filter(([, members]) => members.length > 0)
    .map(([map, members]) => `${verb} element inet ${table} ${map} { ${members.map(render).join(', ')} }`)
    .join('\n');
}

const isAny = (port: PortRule): boolean => port.hostIp === ANY_ADDRESS;

const keyOf = (port: PortRule): string =>
  `${isAny(port) ? '' : `${port.hostIp} . `}${port.protocol} . ${port.hostPort}`;

const targetOf = (port: PortRule): string => `${port.targetIp} . ${port.targetPort}`;

const quote = (name: string): string => `"${name}"`;

function renderSet(name: string, type: string, elements: readonly string[]): string {
  const members = elements.length > 0 ? `; elements = { ${elements.join(', ')} }` : '';
  return `  set ${name} { ${type}${members}; }`;
}

function renderMap(name: string, type: string, ports: readonly PortRule[], any: boolean): string {
  const elements = ports
    .filter((port) => isAny(port) === any)
    .map((port) => `${keyOf(port)} : ${targetOf(port)}`);
  const members = elements.length > 0 ? `; elements = { ${elements.join(', ')} }` : '';
  return `  map ${name} { ${type}${members}; }`;
}
