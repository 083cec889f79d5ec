import { SysError } from '../errors.ts';
import {
  formatAddress,
  formatMac,
  type IpPrefix,
  parseAddress,
  parseMac,
  parsePrefix,
} from '../netlink/ip-address.ts';
import type { Link, LinkAddress, Route, RouteSocket } from '../types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface FakeLink extends Mutable<Link> {
  hairpin: boolean;
  isolated: boolean;
  peer?: { readonly network: FakeNetwork; readonly link: FakeLink };
}

/** Links, addresses and routes of one network namespace. */
export class FakeNetwork {
  readonly links: FakeLink[] = [];
  readonly addresses: LinkAddress[] = [];
  readonly routes: Route[] = [];
  #nextIndex = 1;

  constructor() {
    const lo = this.add('lo', { kind: undefined, mtu: 65_536, mac: '00:00:00:00:00:00' });
    lo.up = true;
    this.addresses.push({ linkIndex: lo.index, address: '127.0.0.1', prefixLength: 8 });
    this.addresses.push({ linkIndex: lo.index, address: '::1', prefixLength: 128 });
  }

  find(name: string): FakeLink | undefined {
    return this.links.find((link) => link.name === name);
  }

  get(name: string): FakeLink {
    const link = this.find(name);
    if (link === undefined) throw new SysError('ENODEV', 'netlink', `link ${JSON.stringify(name)}`);
    return link;
  }

  add(
    name: string,
    options: { kind: string | undefined; mtu?: number | undefined; mac?: string | undefined },
  ): FakeLink {
    if (name === '' || name.length > 15)
      throw new SysError('EINVAL', 'netlink', `link name ${JSON.stringify(name)}`);
    if (this.find(name) !== undefined) throw new SysError('EEXIST', 'netlink', `create link "${name}"`);
    const index = this.#nextIndex++;
    const generated = `02:00:00:00:${formatMac(Uint8Array.of(index >> 8, index))}`;
    const link: FakeLink = {
      index,
      name,
      kind: options.kind,
      mac: formatMac(parseMac(options.mac ?? generated)),
      mtu: options.mtu ?? 1500,
      up: false,
      masterIndex: undefined,
      hairpin: false,
      isolated: false,
    };
    this.links.push(link);
    return link;
  }

  /** Removes a link with what hangs on it; the other end of a veth goes too. */
  remove(link: FakeLink): void {
    const at = this.links.indexOf(link);
    if (at < 0) return;
    this.links.splice(at, 1);
    removeWhere(this.addresses, (address) => address.linkIndex === link.index);
    removeWhere(this.routes, (route) => route.linkIndex === link.index);
    for (const other of this.links) if (other.masterIndex === link.index) other.masterIndex = undefined;
    link.peer?.network.remove(link.peer.link);
  }

  /** What the kernel does when the last reference to a namespace goes. */
  destroy(): void {
    for (const link of [...this.links]) this.remove(link);
  }
}

function removeWhere<T>(list: T[], matches: (item: T) => boolean): void {
  list.splice(0, list.length, ...list.filter((item) => !matches(item)));
}

/** A route socket on a {@link FakeNetwork}. `networkAt` finds the namespaces of veth peers. */
export class FakeRouteSocket implements RouteSocket {
  readonly #network: FakeNetwork;
  readonly #networkAt: (path: string) => FakeNetwork;

  constructor(network: FakeNetwork, networkAt: (path: string) => FakeNetwork) {
    this.#network = network;
    this.#networkAt = networkAt;
  }

  links(): Link[] {
    return this.#network.links.map(toLink);
  }

  link(name: string): Link | undefined {
    const link = this.#network.find(name);
    return link === undefined ? undefined : toLink(link);
  }

  createBridge(name: string, options: { readonly mtu?: number; readonly mac?: string } = {}): void {
    this.#network.add(name, { kind: 'bridge', ...options });
  }

  createDummy(name: string): void {
    this.#network.add(name, { kind: 'dummy' });
  }

  createVeth(options: Parameters<RouteSocket['createVeth']>[0]): void {
    const other = this.#networkAt(options.peerNetns);
    const master = options.master === undefined ? undefined : this.#network.get(options.master).index;
    const peer = other.add(options.peerName, { kind: 'veth', mtu: options.mtu, mac: options.peerMac });
    try {
      const near = this.#network.add(options.name, { kind: 'veth', mtu: options.mtu });
      near.masterIndex = master;
      near.up = options.up === true;
      near.peer = { network: other, link: peer };
      peer.peer = { network: this.#network, link: near };
    } catch (error) {
      other.remove(peer);
      throw error;
    }
  }

  setLink(name: string, change: Parameters<RouteSocket['setLink']>[1]): void {
    const link = this.#network.get(name);
    if (change.up !== undefined) link.up = change.up;
    if (change.mtu !== undefined) link.mtu = change.mtu;
    if (change.mac !== undefined) link.mac = formatMac(parseMac(change.mac));
    if (change.master === null) link.masterIndex = undefined;
    else if (change.master !== undefined) link.masterIndex = this.#network.get(change.master).index;
    if (change.hairpin !== undefined) link.hairpin = change.hairpin;
    if (change.isolated !== undefined) link.isolated = change.isolated;
  }

  deleteLink(name: string): void {
    this.#network.remove(this.#network.get(name));
  }

  addresses(linkName?: string): LinkAddress[] {
    const index = linkName === undefined ? undefined : this.#network.get(linkName).index;
    return this.#network.addresses.filter((address) => index === undefined || address.linkIndex === index);
  }

  addAddress(linkName: string, cidr: string): void {
    const address = toAddress(this.#network.get(linkName), parsePrefix(cidr));
    if (this.#network.addresses.some((known) => Bun.deepEquals(known, address))) {
      throw new SysError('EEXIST', 'netlink', `add address "${cidr}" to "${linkName}"`);
    }
    this.#network.addresses.push(address);
  }

  removeAddress(linkName: string, cidr: string): void {
    const address = toAddress(this.#network.get(linkName), parsePrefix(cidr));
    const at = this.#network.addresses.findIndex((known) => Bun.deepEquals(known, address));
    if (at < 0) throw new SysError('EADDRNOTAVAIL', 'netlink', `remove address "${cidr}" from "${linkName}"`);
    this.#network.addresses.splice(at, 1);
  }

  routes(): Route[] {
    return [...this.#network.routes];
  }

  addRoute(route: Parameters<RouteSocket['addRoute']>[0]): void {
    const link =
      route.linkName === undefined ? this.#linkTowards(route.gateway) : this.#network.get(route.linkName);
    const added: Route = {
      destination: route.destination,
      gateway: route.gateway === undefined ? undefined : formatAddress(parseAddress(route.gateway).bytes),
      linkIndex: link.index,
    };
    if (this.#network.routes.some((known) => Bun.deepEquals(known, added))) {
      throw new SysError('EEXIST', 'netlink', `add route "${route.destination ?? 'default'}"`);
    }
    this.#network.routes.push(added);
  }

  [Symbol.dispose](): void {
    // Nothing is open.
  }

  /** The link whose network holds the gateway, as the kernel demands. */
  #linkTowards(gateway: string | undefined): FakeLink {
    const target = gateway === undefined ? undefined : parseAddress(gateway).bytes;
    const found = this.#network.addresses.find(({ address, prefixLength }) => {
      const bytes = parseAddress(address).bytes;
      return target !== undefined && sharesPrefix(bytes, target, prefixLength);
    });
    const link = this.#network.links.find((candidate) => candidate.index === found?.linkIndex);
    if (link === undefined)
      throw new SysError('ENETUNREACH', 'netlink', `gateway ${JSON.stringify(gateway)}`);
    return link;
  }
}

function sharesPrefix(a: Uint8Array, b: Uint8Array, prefixLength: number): boolean {
  if (a.length !== b.length) return false;
  const bits = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits(a).slice(0, prefixLength) === bits(b).slice(0, prefixLength);
}

function toAddress(link: FakeLink, { bytes, prefixLength }: IpPrefix): LinkAddress {
  return { linkIndex: link.index, address: formatAddress(bytes), prefixLength };
}

function toLink({ index, name, kind, mac, mtu, up, masterIndex }: FakeLink): Link {
  return { index, name, kind, mac, mtu, up, masterIndex };
}
