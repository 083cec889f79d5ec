import type { Protocol } from './types.ts';

/** What the rules need to know of one bridge network. */
export interface BridgeRules {
  readonly bridge: string;
  /** The network of the bridge. */
  readonly subnet: string;
  /** The part of it that is ours to protect: all of it, or what containers get of a foreign bridge. */
  readonly guarded: string;
  readonly masquerade: boolean;
  /** Its containers reach each other; otherwise only what is linked or published is reached. */
  readonly interContainer: boolean;
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

/** What `--link` opens between containers that do not reach each other otherwise. */
export interface LinkRule {
  readonly sourceIp: string;
  readonly targetIp: string;
  readonly protocol: Protocol;
  readonly targetPort: number;
}

/** Everything the rules are made from. */
export interface WantedRules {
  readonly networks: readonly BridgeRules[];
  readonly ports: readonly PortRule[];
  readonly links: readonly LinkRule[];
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
export function renderTable(table: string, { networks, ports, links }: WantedRules): string {
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
      networks.filter((n) => n.interContainer).map(({ bridge }) => `${quote(bridge)} . ${quote(bridge)}`),
    ),
    renderSet(
      'isolated',
      'type ifname',
      networks.filter((n) => !n.interContainer).map(({ bridge }) => quote(bridge)),
    ),
    renderSet('links', 'type ipv4_addr . ipv4_addr . inet_proto . inet_service', links.map(linkOf)),
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
 * prerouting: where containers are kept apart, a published port is reached through the socket that holds it; with
 *   br_netfilter a translated packet would stay within the bridge, which takes it nowhere.
 * forwarding: into our networks come answers, published ports, neighbours of the same bridge and, where those are
 *   kept apart, links; all else is dropped, also what is part of a flow that began while the rules were gone: only
 *   replies are let in as such. Traffic that does not concern our networks passes untouched.
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
    iifname @isolated return
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
    ct state related accept
    ct state established ct direction reply accept
    ct status dnat accept
    ip saddr . ip daddr . meta l4proto . th dport @links accept
    oifname @bridges ip daddr @guarded drop
  }`;

/** What comes and goes with containers. */
export type RuleElements = Pick<WantedRules, 'ports' | 'links'>;

/** Commands that add elements; empty without any. Adding what is there already is fine. */
export const renderAdd = (table: string, elements: RuleElements): string =>
  renderElements('add', table, elements, (port) => `${keyOf(port)} : ${targetOf(port)}`);

/** Commands that remove elements. The transaction fails when one is not there. */
export const renderDelete = (table: string, elements: RuleElements): string =>
  renderElements('delete', table, elements, keyOf);

export const renderDeleteTable = (table: string): string =>
  `add table inet ${table}\ndelete table inet ${table}`;

function renderElements(
  verb: 'add' | 'delete',
  table: string,
  { ports, links }: RuleElements,
  render: (port: PortRule) => string,
): string {
  const changed = [
    ['ports', ports.filter((port) => !isAny(port)).map(render)],
    ['any_ports', ports.filter(isAny).map(render)],
    ['links', links.map(linkOf)],
  ] as const;
  return changed
    .filter(([, members]) => members.length > 0)
    .map(([name, members]) => `${verb} element inet ${table} ${name} { ${members.join(', ')} }`)
    .join('\n');
}

const isAny = (port: PortRule): boolean => port.hostIp === ANY_ADDRESS;

const keyOf = (port: PortRule): string =>
  `${isAny(port) ? '' : `${port.hostIp} . `}${port.protocol} . ${port.hostPort}`;

const targetOf = (port: PortRule): string => `${port.targetIp} . ${port.targetPort}`;

const linkOf = ({ sourceIp, targetIp, protocol, targetPort }: LinkRule): string =>
  `${sourceIp} . ${targetIp} . ${protocol} . ${targetPort}`;

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
