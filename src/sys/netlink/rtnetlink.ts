/** Message types, attributes and headers of rtnetlink(7). */

export const NETLINK_ROUTE = 0;

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_GETROUTE = 26;

export const IFF_UP = 1;

export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_MASTER = 10;
export const IFLA_PROTINFO = 12;
export const IFLA_LINKINFO = 18;
export const IFLA_NET_NS_FD = 28;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const VETH_INFO_PEER = 1;
/** Named MODE in the kernel; it is the hairpin flag of a bridge port. */
export const IFLA_BRPORT_MODE = 4;
export const IFLA_BRPORT_ISOLATED = 33;

export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_BROADCAST = 4;
export const IFA_FLAGS = 8;
export const IFA_F_NODAD = 2;

export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_TABLE = 15;
export const RT_TABLE_MAIN = 254;
export const RTPROT_BOOT = 3;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RTN_UNICAST = 1;
export const RTM_F_CLONED = 0x200;

/** `struct ifinfomsg`. `change` says which bits of `flags` count. */
export function linkHeader(
  header: { family?: number; index?: number; flags?: number; change?: number } = {},
) {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint8(0, header.family ?? 0);
  view.setInt32(4, header.index ?? 0, true);
  view.setUint32(8, header.flags ?? 0, true);
  view.setUint32(12, header.change ?? 0, true);
  return new Uint8Array(view.buffer);
}

/** `struct ifaddrmsg`. */
export function addressHeader(
  header: { family?: number; prefixLength?: number; flags?: number; index?: number } = {},
) {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, header.family ?? 0);
  view.setUint8(1, header.prefixLength ?? 0);
  view.setUint8(2, header.flags ?? 0);
  view.setUint32(4, header.index ?? 0, true);
  return new Uint8Array(view.buffer);
}

/** `struct rtmsg` for a unicast route of the main table. */
export function routeHeader(header: { family?: number; prefixLength?: number; scope?: number } = {}) {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint8(0, header.family ?? 0);
  view.setUint8(1, header.prefixLength ?? 0);
  view.setUint8(4, RT_TABLE_MAIN);
  view.setUint8(5, RTPROT_BOOT);
  view.setUint8(6, header.scope ?? RT_SCOPE_UNIVERSE);
  view.setUint8(7, RTN_UNICAST);
  return new Uint8Array(view.buffer);
}
