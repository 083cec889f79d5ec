import type { Link, LinkAddress, Route } from '../types.ts';
import { AF_INET, AF_INET6, formatAddress, formatMac } from './ip-address.ts';
import { Attributes, type Reply, viewOf } from './message.ts';
import {
  IFA_ADDRESS,
  IFA_LOCAL,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_GATEWAY,
  RTA_OIF,
  RTA_TABLE,
  RTM_F_CLONED,
  RTN_UNICAST,
} from './rtnetlink.ts';

/** A link from an RTM_NEWLINK message. */
export function decodeLink({ payload }: Reply): Link {
  const header = viewOf(payload);
  const attributes = new Attributes(payload.subarray(16));
  return {
    index: header.getInt32(4, true),
    name: attributes.string(IFLA_IFNAME) ?? '',
    kind: attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND),
    mac: formatMac(attributes.bytes(IFLA_ADDRESS) ?? new Uint8Array()),
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    up: (header.getUint32(8, true) & IFF_UP) !== 0,
    masterIndex: attributes.u32(IFLA_MASTER),
  };
}

/** An address from an RTM_NEWADDR message; undefined for families other than IP. */
export function decodeAddress({ payload }: Reply): LinkAddress | undefined {
  const header = viewOf(payload);
  if (!isIp(header.getUint8(0))) return undefined;
  const attributes = new Attributes(payload.subarray(8));
  // On point-to-point links IFA_ADDRESS is the other end.
  const address = attributes.bytes(IFA_LOCAL) ?? attributes.bytes(IFA_ADDRESS);
  if (address === undefined) return undefined;
  return {
    linkIndex: header.getUint32(4, true),
    address: formatAddress(address),
    prefixLength: header.getUint8(1),
  };
}

/** A route from an RTM_NEWROUTE message; undefined unless it is a unicast route of the main table. */
export function decodeRoute({ payload }: Reply): Route | undefined {
  const header = viewOf(payload);
  const attributes = new Attributes(payload.subarray(12));
  const table = attributes.u32(RTA_TABLE) ?? header.getUint8(4);
  const cloned = (header.getUint32(8, true) & RTM_F_CLONED) !== 0;
  if (!isIp(header.getUint8(0)) || table !== RT_TABLE_MAIN || header.getUint8(7) !== RTN_UNICAST || cloned) {
    return undefined;
  }
  const destination = attributes.bytes(RTA_DST);
  const gateway = attributes.bytes(RTA_GATEWAY);
  return {
    destination:
      destination === undefined ? undefined : `${formatAddress(destination)}/${header.getUint8(1)}`,
    gateway: gateway === undefined ? undefined : formatAddress(gateway),
    linkIndex: attributes.u32(RTA_OIF),
  };
}

function isIp(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}
