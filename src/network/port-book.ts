import { allPortsAllocated, portAlreadyAllocated } from './errors.ts';
import type { PortRequest, Protocol, PublishedPort } from './types.ts';

/** A request with the host port it got. */
export interface PortClaim {
  readonly request: PortRequest;
  readonly hostPort: number;
}

/** The dynamic ports of RFC 6335, where dockerd 20.10 looks too. */
const EPHEMERAL_FIRST = 49153;
const EPHEMERAL_LAST = 65535;

/**
 * Which host ports the sandboxes hold. Nothing here is stored: it is filled from the persisted sandboxes at
 * start. All methods are synchronous, so that two starts cannot be given the same port.
 */
export class PortBook {
  /** `tcp/80` to the host addresses taken there. */
  readonly #taken = new Map<string, string[]>();
  readonly #nextEphemeral = new Map<Protocol, number>();

  /**
   * Finds a host port for each request and takes it: all or none. Those with the least choice come first; the claims
   * stand in the order of the requests. @throws `internal`, docker's texts.
   */
  claim(requests: readonly PortRequest[]): PortClaim[] {
    const claims: { index: number; claim: PortClaim }[] = [];
    const asked = requests.map((request, index) => ({ request, index }));
    try {
      for (const { request, index } of asked.toSorted((a, b) => choiceOf(a.request) - choiceOf(b.request)))
        claims.push({ index, claim: this.#claimOne(request) });
    } catch (error) {
      for (const { claim } of claims) this.release(claim);
      throw error;
    }
    return claims.toSorted((a, b) => a.index - b.index).map(({ claim }) => claim);
  }

  /**
   * Gives up a claim whose port a program on the host holds and takes the next one. Undefined when the request
   * named that one port.
   */
  replace(claim: PortClaim): PortClaim | undefined {
    const { request, hostPort } = claim;
    this.release(claim);
    for (const port of this.#candidates(request)) {
      const isTried = isEphemeral(request) ? port === hostPort : port <= hostPort;
      if (!isTried && this.#isFree(request, port)) return this.#take(request, port);
    }
    return undefined;
  }

  release(claim: PortClaim): void {
    this.#drop(claim.request.protocol, claim.hostPort, addressesOf(claim.request.hostIp));
  }

  /** Notes ports of a stored sandbox. */
  restore(ports: readonly PublishedPort[]): void {
    for (const { protocol, hostPort, hostIp } of ports) this.#add(protocol, hostPort, [hostIp]);
  }

  /** Replaces claims by what was published in the end (`::` is left out where nothing answers on it). */
  settle(claims: readonly PortClaim[], ports: readonly PublishedPort[]): void {
    for (const claim of claims) this.release(claim);
    this.restore(ports);
  }

  /** Forgets the ports of a sandbox that is released. */
  releasePublished(ports: readonly PublishedPort[]): void {
    for (const { protocol, hostPort, hostIp } of ports) this.#drop(protocol, hostPort, [hostIp]);
  }

  #claimOne(request: PortRequest): PortClaim {
    for (const port of this.#candidates(request)) {
      if (this.#isFree(request, port)) return this.#take(request, port);
    }
    if (isEphemeral(request) || request.hostPortEnd !== undefined) throw allPortsAllocated();
    throw portAlreadyAllocated(request.hostIp || '0.0.0.0', request.hostPort ?? 0);
  }

  *#candidates(request: PortRequest): Generator<number> {
    if (!isEphemeral(request)) {
      const first = request.hostPort ?? 0;
      yield* numbers(first, request.hostPortEnd ?? first);
      return;
    }
    const start = this.#nextEphemeral.get(request.protocol) ?? EPHEMERAL_FIRST;
    yield* numbers(start, EPHEMERAL_LAST);
    yield* numbers(EPHEMERAL_FIRST, start - 1);
  }

  #isFree(request: PortRequest, port: number): boolean {
    const taken = this.#taken.get(`${request.protocol}/${port}`) ?? [];
    return !addressesOf(request.hostIp).some((ip) => taken.some((other) => collide(ip, other)));
  }

  #take(request: PortRequest, hostPort: number): PortClaim {
    this.#add(request.protocol, hostPort, addressesOf(request.hostIp));
    if (isEphemeral(request)) {
      const next = hostPort >= EPHEMERAL_LAST ? EPHEMERAL_FIRST : hostPort + 1;
      this.#nextEphemeral.set(request.protocol, next);
    }
    return { request, hostPort };
  }

  #add(protocol: Protocol, port: number, addresses: readonly string[]): void {
    const key = `${protocol}/${port}`;
    this.#taken.set(key, [...(this.#taken.get(key) ?? []), ...addresses]);
  }

  #drop(protocol: Protocol, port: number, addresses: readonly string[]): void {
    const key = `${protocol}/${port}`;
    const left = (this.#taken.get(key) ?? []).filter((ip) => !addresses.includes(ip));
    if (left.length > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}

const isEphemeral = (request: PortRequest): boolean => !request.hostPort;

/** How many ports would do. */
const choiceOf = (request: PortRequest): number =>
  isEphemeral(request)
    ? Number.MAX_SAFE_INTEGER
    : (request.hostPortEnd ?? request.hostPort ?? 0) - (request.hostPort ?? 0);

const addressesOf = (hostIp: string): string[] => (hostIp === '' ? ['0.0.0.0', '::'] : [hostIp]);

const isV6 = (ip: string): boolean => ip.includes(':');
const isWildcard = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';

const collide = (a: string, b: string): boolean =>
  isV6(a) === isV6(b) && (a === b || isWildcard(a) || isWildcard(b));

function* numbers(first: number, last: number): Generator<number> {
  for (let number = first; number <= last; number += 1) yield number;
}
