import { invalidJson } from '../errors.ts';
import type { Decoder } from '../json/decoder.ts';

const MAX_PORT = 65_535;

/**
 * A Go map whose keys are ports, `80/tcp`; any word may be the protocol here. @throws `invalid_argument` with docker's texts.
 * Source: docker's api/types/network (ParsePort).
 */
export function withPortKeys<T extends object>(decoder: Decoder<T>): Decoder<T> {
  return {
    ...decoder,
    decode(value, where) {
      const decoded = decoder.decode(value, where);
      for (const key of Object.keys(decoded)) checkPort(key);
      return decoded;
    },
  };
}

function checkPort(key: string): void {
  // The one without anything is docker's zero value: whoever needs a port refuses it.
  if (key === '') return;
  const [port = ''] = key.split('/', 1);
  const reason = whyNoPort(port);
  if (reason) throw invalidJson(`invalid port '${port}': ${reason}`);
}

function whyNoPort(port: string): string | undefined {
  if (port === '') return 'value is empty';
  if (!/^\d+$/.test(port)) return 'invalid syntax';
  return Number(port) > MAX_PORT ? 'value out of range' : undefined;
}
