/** A network as stored. */
export interface Network {
  readonly id: string;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  /** ISO time. */
  readonly created: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv6: boolean;
  readonly ipam: readonly IpamConfig[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Name of the Linux bridge, for driver `bridge`. */
  readonly bridgeName: string | undefined;
}

export interface IpamConfig {
  readonly subnet: string;
  readonly gateway: string;
  readonly ipRange?: string;
}

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** One published port, as asked for. `hostPort` 0 or undefined lets the engine choose; a range lets it choose within. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** Empty: all addresses. */
  readonly hostIp: string;
  readonly hostPort: number | undefined;
  /** Inclusive end of the range; undefined: just `hostPort`. */
  readonly hostPortEnd?: number;
}

/** One published port, as it is. `hostIp` is `0.0.0.0` and `::` apart. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: Protocol;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** What one container wants of the network. */
export interface SandboxRequest {
  readonly containerId: string;
  readonly containerName: string;
  /** `bridge`/`default`, `none`, `host`, a network's name or ID. `container:ID` is resolved by the caller. */
  readonly networkMode: string;
  /** Per network name or ID: what the user asked for. */
  readonly endpoints?: Readonly<Record<string, EndpointRequest>>;
  readonly ports: readonly PortRequest[];
  /** Containers it is linked to. Opens their ports where containers do not reach each other otherwise. */
  readonly links?: readonly SandboxLink[];
  /**
   * Path of an empty network namespace to use instead of a new one: that of a container in a user namespace has to
   * belong to it. Must stay valid until the sandbox is made.
   */
  readonly netnsFrom?: string;
}

/** A container that is to be plugged into a network, or out. */
export interface NetworkMember {
  readonly id: string;
  readonly name: string;
  readonly networkMode: string;
}

/** What one container may reach of another. */
export interface SandboxLink {
  readonly containerId: string;
  readonly ports: readonly { readonly port: number; readonly protocol: Protocol }[];
}

export interface EndpointRequest {
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  readonly macAddress?: string;
  readonly aliases?: readonly string[];
  readonly links?: readonly string[];
  readonly driverOpts?: Readonly<Record<string, string>>;
  /** Kept and shown only. */
  readonly linkLocalIps?: readonly string[];
  /** Kept and shown only. */
  readonly gwPriority?: number;
}

/** A container's place in one network. For `none` and `host` an identity only: names, addresses and MAC are empty. */
export interface Endpoint {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly interfaceName: string;
  readonly hostInterface: string;
  readonly macAddress: string;
  readonly ipv4Address: string;
  readonly ipv4PrefixLength: number;
  readonly gateway: string;
  readonly ipv6Address: string;
  readonly ipv6PrefixLength: number;
  readonly ipv6Gateway: string;
}

/** A container's network: its namespace and what is plugged into it. Persisted until released. */
export interface Sandbox {
  readonly containerId: string;
  readonly id: string;
  /** Path of the pinned namespace; undefined for host networking. */
  readonly netnsPath: string | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** None in sandboxes of daemons that knew no links. */
  readonly links?: readonly SandboxLink[];
}

export interface NetworkService {
  /**
   * Makes the default bridge and our nftables table, then reconciles: sandboxes of `liveContainerIds` keep
   * addresses, ports and rules; all others are released.
   */
  start(liveContainerIds: ReadonlySet<string>): Promise<void>;
  /** Ends Workers. With `removeAll`, bridge and table go as well (no sandbox may be left). */
  stop(options?: { readonly removeAll?: boolean }): Promise<void>;
  list(): Network[];
  /** By name, ID or unique ID prefix. @throws `not_found` (`network X not found`). */
  get(nameOrId: string): Network;
  /** @throws `forbidden` for a predefined network with docker's text; `not_implemented` for every other. */
  create(name: string, driver: string): never;
  /** @throws `not_found`; `forbidden` with docker's text: there are only predefined networks. */
  remove(nameOrId: string): void;
  /** @throws docker's texts for predefined networks; `not_implemented` for what only user-defined ones can do. */
  connect(nameOrId: string, container: NetworkMember): void;
  /** As {@link connect}. */
  disconnect(nameOrId: string, container: NetworkMember): void;
  /** Checks a request without side effects, at container create. @throws `invalid_argument`, `not_found`. */
  validate(request: SandboxRequest): void;
  /**
   * Namespace, addresses, routes, published ports: all or nothing.
   * @throws `conflict`-free docker texts: port taken is `internal` with `driver failed programming external connectivity …: Bind for 0.0.0.0:80 failed: port is already allocated`.
   */
  createSandbox(request: SandboxRequest): Promise<Sandbox>;
  sandbox(containerId: string): Sandbox | undefined;
  /** Closes what a link of `containerId` to `targetId` opened. Idempotent. */
  unlink(containerId: string, targetId: string): Promise<void>;
  /** Releases everything of the container. Idempotent. */
  removeSandbox(containerId: string): Promise<void>;
  /** Sandboxes plugged into the network, for `network inspect`. */
  endpointsOf(networkId: string): readonly { readonly containerId: string; readonly endpoint: Endpoint }[];
}
