import { portTakenOnHost } from './errors.ts';
import type { HostPort, NetworkKernel, OpenedPort } from './kernel.ts';
import type { PortBook, PortClaim } from './port-book.ts';
import type { PortRequest, PublishedPort, Sandbox } from './types.ts';

/**
 * Takes host ports for `requests`, in the book and on the machine: all or none. A port that a program on the
 * host holds is skipped where the request leaves a choice.
 * @throws `internal`, docker's texts.
 */
export async function publishPorts(options: {
  readonly owner: string;
  readonly targetIp: string;
  readonly requests: readonly PortRequest[];
  readonly book: PortBook;
  readonly kernel: NetworkKernel;
}): Promise<PublishedPort[]> {
  const { owner, targetIp, requests, book, kernel } = options;
  const claims = book.claim(requests);
  try {
    const opened = await openAll(owner, targetIp, claims, book, kernel);
    const ports = claims.flatMap((claim, index) => publishedBy(claim, opened[index]));
    book.settle(claims, ports);
    return ports;
  } catch (error) {
    for (const claim of claims) book.release(claim);
    throw error;
  }
}

// `claims` is changed in place: on failure it holds exactly what the book still has.
async function openAll(
  owner: string,
  targetIp: string,
  claims: PortClaim[],
  book: PortBook,
  kernel: NetworkKernel,
): Promise<OpenedPort[]> {
  for (;;) {
    const opened = await kernel.openPorts(
      owner,
      claims.map((claim) => hostPortOf(claim, targetIp)),
    );
    const failedAt = opened.findIndex(({ ok }) => !ok);
    const failed = claims[failedAt];
    if (!failed) return opened;
    claims.splice(failedAt, 1, ...nextChoice(failed, opened[failedAt], book, claims, failedAt));
  }
}

function nextChoice(
  failed: PortClaim,
  result: OpenedPort | undefined,
  book: PortBook,
  claims: PortClaim[],
  index: number,
): PortClaim[] {
  const errno = result && !result.ok ? result.errno : undefined;
  const replacement = errno === 'EADDRINUSE' ? book.replace(failed) : undefined;
  if (replacement) return [replacement];
  // `replace` has released it already; another reason than a taken port has not.
  if (errno !== 'EADDRINUSE') book.release(failed);
  claims.splice(index, 1);
  const { protocol, hostIp } = failed.request;
  throw portTakenOnHost(protocol, hostIp || '0.0.0.0', failed.hostPort, errno);
}

const hostPortOf = ({ request, hostPort }: PortClaim, targetIp: string): HostPort => ({
  protocol: request.protocol,
  hostIp: request.hostIp,
  port: hostPort,
  targetIp,
  targetPort: request.containerPort,
});

function publishedBy({ request, hostPort }: PortClaim, opened: OpenedPort | undefined): PublishedPort[] {
  const { containerPort, protocol } = request;
  const answersOnIpv6 = opened?.ok === true && opened.ipv6;
  const addresses = request.hostIp === '' ? ['0.0.0.0', ...(answersOnIpv6 ? ['::'] : [])] : [request.hostIp];
  return addresses.map((hostIp) => ({ containerPort, protocol, hostIp, hostPort }));
}

/** What to open again for a sandbox that outlived the daemon: `0.0.0.0` and `::` of one port are one socket. */
export function hostPortsOf(sandbox: Sandbox): HostPort[] {
  const targetIp = sandbox.endpoints.find(({ ipv4Address }) => ipv4Address !== '')?.ipv4Address;
  if (targetIp === undefined) return [];
  const key = ({ protocol, hostPort }: PublishedPort) => `${protocol}/${hostPort}`;
  const hasBoth = (port: PublishedPort) =>
    ['0.0.0.0', '::'].every((ip) =>
      sandbox.ports.some((other) => other.hostIp === ip && key(other) === key(port)),
    );
  return sandbox.ports
    .filter((port) => !(port.hostIp === '::' && hasBoth(port)))
    .map((port) => ({
      protocol: port.protocol,
      hostIp: hasBoth(port) && port.hostIp === '0.0.0.0' ? '' : port.hostIp,
      port: port.hostPort,
      targetIp,
      targetPort: port.containerPort,
    }));
}
