import { closeSync, constants, openSync } from 'node:fs';
import { O_CLOEXEC } from '../constants.ts';
import { SysError } from '../errors.ts';
import type { Link, LinkAddress, Route, RouteSocket } from '../types.ts';
import { decodeAddress, decodeLink, decodeRoute } from './decode.ts';
import {
  AF_INET,
  AF_INET6,
  broadcastAddress,
  type IpPrefix,
  parseAddress,
  parseMac,
  parsePrefix,
} from './ip-address.ts';
import { RequestBuilder } from './message.ts';
import {
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from './netlink-socket.ts';
import * as rt from './rtnetlink.ts';

type LinkChange = Parameters<RouteSocket['setLink']>[1];
type VethOptions = Parameters<RouteSocket['createVeth']>[0];
type RouteOptions = Parameters<RouteSocket['addRoute']>[0];

const AF_BRIDGE = 7;
/** IFNAMSIZ without its NUL. */
const MAX_NAME = 15;
const CHANGE = NLM_F_REQUEST | NLM_F_ACK;
const CREATE = CHANGE | NLM_F_CREATE | NLM_F_EXCL;

/** Opens a route netlink socket in the calling thread's network namespace. */
export function openRouteSocket(): RouteSocket {
  return new KernelRouteSocket(new NetlinkSocket(rt.NETLINK_ROUTE));
}

class KernelRouteSocket implements RouteSocket {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  links(): Link[] {
    const request = () => new RequestBuilder(rt.RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP).raw(rt.linkHeader());
    return this.#socket.query(request, 'list links').map(decodeLink);
  }

  link(name: string): Link | undefined {
    if (!isLinkName(name)) return undefined;
    const request = () =>
      new RequestBuilder(rt.RTM_GETLINK, CHANGE).raw(rt.linkHeader()).string(rt.IFLA_IFNAME, name);
    try {
      return this.#socket.query(request, `get link "${name}"`).map(decodeLink)[0];
    } catch (error) {
      if (error instanceof SysError && error.code === 'ENODEV') return undefined;
      throw error;
    }
  }

  createBridge(name: string, options: { readonly mtu?: number; readonly mac?: string } = {}): void {
    const request = this.#newLink(name, options);
    request.nested(rt.IFLA_LINKINFO, (info) => info.string(rt.IFLA_INFO_KIND, 'bridge'));
    this.#socket.execute(request, `create bridge "${name}"`);
  }

  createDummy(name: string): void {
    const request = this.#newLink(name, {});
    request.nested(rt.IFLA_LINKINFO, (info) => info.string(rt.IFLA_INFO_KIND, 'dummy'));
    this.#socket.execute(request, `create dummy "${name}"`);
  }

  createVeth(options: VethOptions): void {
    const netns = openSync(options.peerNetns, constants.O_RDONLY | O_CLOEXEC);
    try {
      const request = this.#newLink(options.name, options);
      request.nested(rt.IFLA_LINKINFO, (info) => {
        info.string(rt.IFLA_INFO_KIND, 'veth');
        info.nested(rt.IFLA_INFO_DATA, (data) => {
          data.nested(rt.VETH_INFO_PEER, (peer) => addPeer(peer, options, netns));
        });
      });
      this.#socket.execute(request, `create veth "${options.name}"`);
    } finally {
      closeSync(netns);
    }
  }

  setLink(name: string, change: LinkChange): void {
    const index = this.#index(name);
    const { hairpin, isolated, ...attributes } = change;
    if (Object.keys(attributes).length > 0) {
      const flags = change.up === true ? rt.IFF_UP : 0;
      const mask = change.up === undefined ? 0 : rt.IFF_UP;
      const request = new RequestBuilder(rt.RTM_SETLINK, CHANGE).raw(
        rt.linkHeader({ index, flags, change: mask }),
      );
      this.#addLinkAttributes(request, attributes);
      this.#socket.execute(request, `set link "${name}"`);
    }
    if (hairpin !== undefined) this.#setPort(name, index, rt.IFLA_BRPORT_MODE, hairpin);
    if (isolated !== undefined) this.#setPort(name, index, rt.IFLA_BRPORT_ISOLATED, isolated);
  }

  deleteLink(name: string): void {
    const header = rt.linkHeader({ index: this.#index(name) });
    this.#socket.execute(new RequestBuilder(rt.RTM_DELLINK, CHANGE).raw(header), `delete link "${name}"`);
  }

  addresses(linkName?: string): LinkAddress[] {
    const index = linkName === undefined ? undefined : this.#index(linkName);
    const request = () =>
      new RequestBuilder(rt.RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP).raw(rt.addressHeader());
    const all = this.#socket.query(request, 'list addresses').flatMap((reply) => decodeAddress(reply) ?? []);
    return index === undefined ? all : all.filter((address) => address.linkIndex === index);
  }

  addAddress(linkName: string, cidr: string): void {
    const prefix = parsePrefix(cidr);
    const request = this.#addressRequest(rt.RTM_NEWADDR, CREATE, linkName, prefix);
    const broadcast = broadcastAddress(prefix);
    if (broadcast !== undefined) request.attribute(rt.IFA_BROADCAST, broadcast);
    if (prefix.family === AF_INET6) request.u32(rt.IFA_FLAGS, rt.IFA_F_NODAD);
    this.#socket.execute(request, `add address "${cidr}" to "${linkName}"`);
  }

  removeAddress(linkName: string, cidr: string): void {
    const request = this.#addressRequest(rt.RTM_DELADDR, CHANGE, linkName, parsePrefix(cidr));
    this.#socket.execute(request, `remove address "${cidr}" from "${linkName}"`);
  }

  routes(): Route[] {
    const request = () =>
      new RequestBuilder(rt.RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP).raw(rt.routeHeader());
    return this.#socket.query(request, 'list routes').flatMap((reply) => decodeRoute(reply) ?? []);
  }

  addRoute(route: RouteOptions): void {
    const destination = route.destination === undefined ? undefined : parsePrefix(route.destination);
    const gateway = route.gateway === undefined ? undefined : parseAddress(route.gateway);
    const header = rt.routeHeader({
      family: destination?.family ?? gateway?.family ?? AF_INET,
      prefixLength: destination?.prefixLength ?? 0,
      scope: gateway === undefined ? rt.RT_SCOPE_LINK : rt.RT_SCOPE_UNIVERSE,
    });
    const request = new RequestBuilder(rt.RTM_NEWROUTE, CREATE).raw(header);
    if (destination !== undefined) request.attribute(rt.RTA_DST, networkOf(destination));
    if (gateway !== undefined) request.attribute(rt.RTA_GATEWAY, gateway.bytes);
    if (route.linkName !== undefined) request.u32(rt.RTA_OIF, this.#index(route.linkName));
    this.#socket.execute(request, `add route "${route.destination ?? 'default'}"`);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #newLink(name: string, options: Omit<LinkChange, 'hairpin' | 'isolated'>): RequestBuilder {
    const flags = options.up === true ? rt.IFF_UP : 0;
    const request = new RequestBuilder(rt.RTM_NEWLINK, CREATE).raw(rt.linkHeader({ flags, change: flags }));
    request.string(rt.IFLA_IFNAME, checkedName(name));
    this.#addLinkAttributes(request, options);
    return request;
  }

  #addLinkAttributes(request: RequestBuilder, { mac, mtu, master }: LinkChange): void {
    if (mac !== undefined) request.attribute(rt.IFLA_ADDRESS, parseMac(mac));
    if (mtu !== undefined) request.u32(rt.IFLA_MTU, mtu);
    if (master !== undefined) request.u32(rt.IFLA_MASTER, master === null ? 0 : this.#index(master));
  }

  #addressRequest(type: number, flags: number, linkName: string, prefix: IpPrefix): RequestBuilder {
    const header = rt.addressHeader({ ...prefix, index: this.#index(linkName) });
    const request = new RequestBuilder(type, flags).raw(header);
    return request.attribute(rt.IFA_LOCAL, prefix.bytes).attribute(rt.IFA_ADDRESS, prefix.bytes);
  }

  /** One switch of a bridge's port. */
  #setPort(name: string, index: number, attribute: number, isOn: boolean): void {
    const header = rt.linkHeader({ family: AF_BRIDGE, index });
    const request = new RequestBuilder(rt.RTM_SETLINK, CHANGE).raw(header);
    request.nested(rt.IFLA_PROTINFO, (port) => port.u8(attribute, isOn ? 1 : 0));
    this.#socket.execute(request, `set port attribute ${attribute} of "${name}"`);
  }

  #index(name: string): number {
    const link = this.link(name);
    if (link === undefined) throw new SysError('ENODEV', 'netlink', `link ${JSON.stringify(name)}`);
    return link.index;
  }
}

function addPeer(peer: RequestBuilder, options: VethOptions, netns: number): void {
  peer.raw(rt.linkHeader());
  peer.string(rt.IFLA_IFNAME, checkedName(options.peerName));
  if (options.peerMac !== undefined) peer.attribute(rt.IFLA_ADDRESS, parseMac(options.peerMac));
  if (options.mtu !== undefined) peer.u32(rt.IFLA_MTU, options.mtu);
  peer.u32(rt.IFLA_NET_NS_FD, netns);
}

function isLinkName(name: string): boolean {
  const length = Buffer.byteLength(name);
  return length > 0 && length <= MAX_NAME && name !== '.' && name !== '..' && !/[\s/:\0]/.test(name);
}

/** The kernel cuts at a NUL and expands `%d`; a name must mean itself. */
function checkedName(name: string): string {
  if (!isLinkName(name) || name.includes('%')) {
    throw new SysError('EINVAL', 'netlink', `link name ${JSON.stringify(name)}`);
  }
  return name;
}

/** The address with its host bits cleared, which the kernel wants of a destination. */
function networkOf({ bytes, prefixLength }: IpPrefix): Uint8Array {
  return bytes.map((byte, at) => byte & ~(0xff >> Math.min(8, Math.max(0, prefixLength - at * 8))));
}
