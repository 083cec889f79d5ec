import { errnoCode } from '#base';
import type { HostPort, OpenedPort } from '../kernel.ts';
import { listenTcp } from './tcp-forwarder.ts';
import { listenUdp } from './udp-forwarder.ts';

/** An open socket of the host side. */
export interface Forwarder {
  close(): void;
}

/** Sockets kept open at most; ports beyond are checked, not held (large ranges; the process has few files). */
const DEFAULT_MAX_HELD = 2048;

/**
 * The sockets that hold published ports. A held port cannot be taken by another program; what arrives on it in
 * spite of nftables (IPv6, or while the table is missing) is forwarded to the container.
 */
export class HostPorts {
  readonly #held = new Map<string, Forwarder[]>();
  readonly #maxHeld: number;
  #count = 0;

  constructor(options: { readonly maxHeld?: number } = {}) {
    this.#maxHeld = options.maxHeld ?? DEFAULT_MAX_HELD;
  }

  /** Opens all of them for `owner`, or reports which failed and opens none. */
  async open(owner: string, ports: readonly HostPort[]): Promise<OpenedPort[]> {
    const forwarders: Forwarder[] = [];
    const results: OpenedPort[] = [];
    for (const port of ports) results.push(await this.#openOne(port, forwarders));
    if (results.some(({ ok }) => !ok)) this.#closeThese(forwarders);
    else this.#held.set(owner, [...(this.#held.get(owner) ?? []), ...forwarders]);
    return results;
  }

  close(owner: string): void {
    const forwarders = this.#held.get(owner) ?? [];
    this.#held.delete(owner);
    this.#closeThese(forwarders);
  }

  closeAll(): void {
    for (const owner of [...this.#held.keys()]) this.close(owner);
  }

  #closeThese(forwarders: readonly Forwarder[]): void {
    this.#count -= forwarders.length;
    for (const forwarder of forwarders) forwarder.close();
  }

  async #openOne(port: HostPort, forwarders: Forwarder[]): Promise<OpenedPort> {
    // Nothing in user space speaks SCTP here: nftables alone carries it.
    if (port.protocol === 'sctp') return { ok: true, ipv6: false };
    try {
      const { forwarder, ipv6 } = await listenDual(port);
      if (this.#count >= this.#maxHeld) {
        forwarder.close();
        return { ok: true, ipv6: false };
      }
      this.#count += 1;
      forwarders.push(forwarder);
      return { ok: true, ipv6 };
    } catch (error) {
      return { ok: false, errno: errnoCode(error) };
    }
  }
}

// One socket for both families; on a machine without IPv6 the IPv4 one alone.
async function listenDual(port: HostPort): Promise<{ forwarder: Forwarder; ipv6: boolean }> {
  const listen = port.protocol === 'tcp' ? listenTcp : listenUdp;
  if (port.hostIp !== '') {
    return { forwarder: await listen(port.hostIp, port), ipv6: port.hostIp.includes(':') };
  }
  try {
    return { forwarder: await listen('', port), ipv6: true };
  } catch (error) {
    if (!isWithoutIpv6(error)) throw error;
    return { forwarder: await listen('0.0.0.0', port), ipv6: false };
  }
}

const isWithoutIpv6 = (error: unknown): boolean =>
  ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'ENOTSUP'].includes(errnoCode(error) ?? '');
