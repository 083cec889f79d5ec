/** linux/netlink.h. */
export const NETLINK_NETFILTER = 12;

const HEADER_SIZE = 4;

/** `struct nfgenmsg`: family, version 0, no resource. */
export function netfilterHeader(family: number): Uint8Array {
  const header = new Uint8Array(HEADER_SIZE);
  header[0] = family;
  return header;
}
