import type { Ipv4 } from './ipv4.ts';

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Whether `text` is a 48-bit unicast MAC address in colon notation. */
export const isMac = (text: string): boolean =>
  MAC.test(text) && (Number.parseInt(text.slice(1, 2), 16) & 1) === 0;

/** `02:42` and the address: unique on the network because the address is. As dockerd 20.10 does it. */
export function macFromIpv4(address: Ipv4): string {
  const octets = [2, 0x42, ...[24, 16, 8, 0].map((shift) => (address >>> shift) & 255)];
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
