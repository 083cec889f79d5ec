import {
  conflict,
  errorMessage,
  GantryError,
  internal,
  invalidArgument,
  notFound,
  notImplemented,
  unavailable,
} from '#base';

/*
 * Texts that are contract are docker's, letter by letter (engine 20.10 and 28; clients and scripts search
 * for them). The others are ours.
 */

/** Source: moby, libnetwork `NotFound` of a network lookup. */
export const networkNotFound = (name: string): GantryError => notFound(`network ${name} not found`);

export const ambiguousNetwork = (prefix: string, count: number): GantryError =>
  invalidArgument(`network ${prefix} is ambiguous (${count} matches found based on ID prefix)`);

/** Source: moby, daemon/network.go. */
export const predefinedNotRemoved = (name: string): GantryError =>
  new GantryError('forbidden', `${name} is a pre-defined network and cannot be removed`);

/** Source: moby, daemon/network.go; 20.10 ends it with a space. */
export const predefinedNotCreated = (name: string): GantryError =>
  new GantryError('forbidden', `operation is not permitted on predefined ${name} network`);

/** Source: libnetwork, drivers/{host,null}. */
export const onlyOneInstance = (driver: string): GantryError =>
  new GantryError('forbidden', `only one instance of "${driver}" network is allowed`);

export const emptyNetworkName = (): GantryError => invalidArgument('invalid name: ');

export const userNetworksMissing = (): GantryError =>
  notImplemented('user-defined networks are not supported by this version of gantry');

/** Source: moby, runconfig/errors.go. */
export const hostNetworkFixed = (): GantryError =>
  invalidArgument('container cannot be disconnected from host network or connected to host network');

/** Source: moby, runconfig/errors.go. */
export const sharedNetworkFixed = (): GantryError =>
  invalidArgument(
    'container sharing network namespace with another container or host cannot be connected to any other network',
  );

/** Source: moby, runconfig/errors.go. */
export const noneNetworkExclusive = (): GantryError =>
  invalidArgument(
    'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  );

/** Source: libnetwork, network.go `CreateEndpoint`. */
export const alreadyConnected = (container: string, network: string): GantryError =>
  new GantryError('forbidden', `endpoint with name ${container} already exists in network ${network}`);

/** Source: moby, daemon/container_operations.go. */
export const notConnected = (containerId: string, network: string): GantryError =>
  internal(`container ${containerId} is not connected to network ${network}`);

/** Source: moby, daemon/container_operations.go and runconfig. */
export const staticAddressNeedsUserNetwork = (): GantryError =>
  invalidArgument('user specified IP address is supported on user defined networks only');

/** Source: moby, daemon/container_operations.go. */
export const aliasNeedsUserNetwork = (): GantryError =>
  invalidArgument('network-scoped alias is supported only for containers in user defined networks');

/** Source: libnetwork, ipamapi `ErrIPAlreadyAllocated`; docker answers 403 for it. */
export const addressInUse = (): GantryError => new GantryError('forbidden', 'Address already in use');

/** Source: libnetwork, ipamapi `ErrIPOutOfRange`. */
export const addressOutOfRange = (): GantryError => invalidArgument('Requested address is out of range');

/** Source: libnetwork, network.go `requestPoolHelper`/endpoint allocation. */
export const noAddressLeft = (networkName: string, networkId: string): GantryError =>
  internal(`no available IPv4 addresses on this network's address pools: ${networkName} (${networkId})`);

/** Source: libnetwork; the second half is ours: it names who holds the space. */
export const noSubnetLeft = (holders: readonly string[]): GantryError =>
  unavailable(
    'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network' +
      (holders.length > 0 ? ` (taken by ${holders.join(', ')})` : ''),
  );

/** Source: moby, runconfig/opts and daemon endpoint validation. */
export const invalidAddress = (address: string): GantryError =>
  invalidArgument(`invalid IPv4 address: ${address}`);

export const invalidHostIp = (address: string): GantryError =>
  invalidArgument(`invalid IP address: ${address}`);

export const invalidMac = (mac: string): GantryError => invalidArgument(`invalid mac address: ${mac}`);

export const invalidPort = (port: number): GantryError => invalidArgument(`invalid port: ${port}`);

export const invalidPortRange = (first: number, last: number): GantryError =>
  invalidArgument(`invalid range format for hostPort: ${first}-${last}`);

export const invalidSubnet = (text: string): GantryError => invalidArgument(`invalid subnet ${text}`);

export const rangeOutsideSubnet = (range: string, subnet: string): GantryError =>
  invalidArgument(`address range ${range} is not inside the network ${subnet}`);

export const gatewayOutsideSubnet = (gateway: string, subnet: string): GantryError =>
  invalidArgument(`default gateway ${gateway} is not inside the network ${subnet}`);

/** Source: moby, daemon_unix.go `verifyDaemonSettings`. */
export const isolationNeedsFirewall = (): GantryError =>
  invalidArgument(
    'You specified --iptables=false with --icc=false. ICC=false uses iptables to function. Please set --icc or --iptables to true',
  );

/** Source: ours; without rules nothing carries SCTP. */
export const sctpNeedsFirewall = (): GantryError =>
  invalidArgument('SCTP ports cannot be published with --iptables=false');

export const invalidBridgeName = (name: string): GantryError =>
  invalidArgument(`invalid bridge name ${JSON.stringify(name)}: at most 15 of A-Z a-z 0-9 _ . -`);

/** Source: moby, daemon/config_unix: `--bip` beside a bridge of the user. */
export const bipWithExistingBridge = (): GantryError =>
  conflict('You specified -b & --bip, mutually exclusive options. Please specify only one.');

export const bridgeInUse = (bridge: string): GantryError =>
  unavailable(`bridge "${bridge}" belongs to another running daemon: choose a different one`);

export const noBridgeName = (): GantryError => unavailable('no free bridge name: choose one');

export const notABridge = (name: string): GantryError =>
  invalidArgument(`interface "${name}" exists and is not a bridge`);

/** Source: libnetwork, portallocator `ErrPortAlreadyAllocated`. `hostIp` as docker shows it: `[::]` in brackets. */
export const portAlreadyAllocated = (hostIp: string, port: number): GantryError =>
  internal(`Bind for ${bracketed(hostIp)}:${port} failed: port is already allocated`);

/** Source: libnetwork, portallocator `ErrAllPortsAllocated`. */
export const allPortsAllocated = (): GantryError => internal('all ports are allocated');

/** Source: dockerd 20.10, userland proxy: Go's net.OpError of the failed listen. */
export const portTakenOnHost = (
  protocol: string,
  hostIp: string,
  port: number,
  errno: string | undefined,
): GantryError => {
  const family = hostIp.includes(':') ? '6' : '4';
  const reason = BIND_ERRORS[errno ?? ''] ?? 'cannot assign requested address';
  return internal(
    `Error starting userland proxy: listen ${protocol}${family} ${bracketed(hostIp)}:${port}: bind: ${reason}`,
  );
};

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  EMFILE: 'too many open files',
  EAFNOSUPPORT: 'address family not supported by protocol',
};

const bracketed = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/** Wraps what went wrong with published ports. Source: libnetwork, endpoint `sbJoin`. */
export const externalConnectivityFailed = (
  containerName: string,
  endpointId: string,
  cause: GantryError,
): GantryError =>
  new GantryError(
    cause.code,
    `driver failed programming external connectivity on endpoint ${containerName} (${endpointId}): ${cause.message}`,
    { cause },
  );

export const sandboxExists = (containerId: string): GantryError =>
  conflict(`container ${containerId} has a network sandbox already`);

/** The network Worker ended before it answered. It is started again for the next call. */
export const workerDied = (reason: string): GantryError => unavailable(`network worker ended: ${reason}`);

export const sandboxSetupFailed = (containerName: string, cause: unknown): GantryError =>
  new GantryError(
    cause instanceof GantryError ? cause.code : 'internal',
    `failed to set up the network of container ${containerName}: ${errorMessage(cause)}`,
    { cause },
  );

/** `BR_MAX_PORTS` of Linux is 1 << 10, the bridge's own included. */
const BRIDGE_PORTS = 1023;

export const bridgeFull = (bridge: string): GantryError =>
  unavailable(
    `bridge ${bridge} is full: Linux connects at most ${BRIDGE_PORTS} containers to one bridge, use another network`,
  );

export const networksInUse = (count: number): GantryError =>
  conflict(`cannot remove the networks: ${count} containers are attached`);

export const portsNotOpened = (cause: unknown): GantryError =>
  internal(`failed to open the host ports: ${errorMessage(cause)}`, { cause });

export const sandboxNotReleased = (containerId: string, cause: unknown): GantryError =>
  internal(`failed to release the network of container ${containerId}: ${errorMessage(cause)}`, { cause });

export const networkNotStarted = (cause: unknown): GantryError =>
  unavailable(`failed to start the network: ${errorMessage(cause)}`, { cause });
