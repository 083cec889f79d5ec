import type { Protocol } from './types.ts';

/**
 * What the network needs of the machine. The service decides (pure state, main thread); a kernel carries out,
 * in the network Worker. Every call either happens whole or throws an error that keeps the errno in `code`.
 */
export interface NetworkKernel {
  hostFacts(): Promise<HostFacts>;
  /**
   * Claims the bridge name for this daemon within the network namespace until the kernel is closed or dies.
   * False when another daemon holds it.
   */
  claimBridge(name: string): Promise<boolean>;
  /** Makes or completes a bridge: exists, has `address`, is up. Idempotent. */
  ensureBridge(spec: BridgeSpec): Promise<void>;
  removeBridge(name: string): Promise<void>;
  /** Plugs an interface into a bridge again. False when the interface is gone. */
  reattach(interfaceName: string, bridgeName: string, isolated: boolean): Promise<boolean>;
  /** Sets a sysctl below `/proc/sys` if it differs. True when it was changed. */
  ensureSysctl(path: string, value: string): Promise<boolean>;
  /** Opens the host side of published ports. One result for each, in order; failures are results, not throws. */
  openPorts(owner: string, ports: readonly HostPort[]): Promise<OpenedPort[]>;
  /** Closes what `owner` opened. Unknown owners are fine. */
  closePorts(owner: string): Promise<void>;
  createSandbox(plan: SandboxPlan): Promise<void>;
  /** Unpins the namespace; the kernel removes it with the last process in it. No error when it is gone. */
  removeSandbox(netnsPath: string): Promise<void>;
  /** Names of the namespaces pinned in `directory` (made when missing). */
  pinnedNamespaces(directory: string): Promise<string[]>;
  /** One nftables transaction. */
  applyRules(commands: string): Promise<void>;
  /** Makes the kernel forget UDP flows to these ports that do not end where the port leads to now. */
  forgetFlows(ports: readonly FlowPort[]): Promise<void>;
  /** Calls `onRulesDamaged` when somebody else changes or removes the table; undefined ends that. */
  watchRules(watch: RulesWatch | undefined): Promise<void>;
  close(): Promise<void>;
}

/** What a kernel reports without being asked. */
export interface KernelEvents {
  /** Our table was changed by somebody else. */
  onRulesDamaged(): void;
  /** The kernel's notifications of changes ended and cannot be had again yet; it is tried on. */
  onWatchLost(reason: string): void;
  /** The Worker died and a fresh one took over: listeners, claims and the watch are gone. */
  onRestarted(): void;
}

export interface HostFacts {
  readonly addresses: readonly { readonly cidr: string; readonly interfaceName: string }[];
  /** Without default routes. */
  readonly routes: readonly { readonly destination: string; readonly interfaceName: string }[];
  readonly links: readonly {
    readonly name: string;
    readonly kind: string | undefined;
    /** Name of the bridge it is plugged into. */
    readonly master: string | undefined;
  }[];
}

export interface BridgeSpec {
  readonly name: string;
  /** `172.17.0.1/16`. Undefined leaves addresses alone. */
  readonly address: string | undefined;
  readonly mtu: number;
  /** Make it when it is missing. */
  readonly create: boolean;
  /** Remove other IPv4 addresses and settle the MTU, for a bridge that is ours. */
  readonly exclusive: boolean;
  /** What is plugged in exchanges nothing directly: the host routes between, by its rules. */
  readonly isolated: boolean;
}

/** A published UDP port of the host, and who is behind it; undefined: nobody any more. */
export interface FlowPort {
  /** `0.0.0.0` is every address of the host. */
  readonly hostIp: string;
  readonly port: number;
  readonly targetIp: string | undefined;
}

/** The host side of one published port: a socket that holds it, and forwards what nftables does not. */
export interface HostPort {
  readonly protocol: Protocol;
  /** Empty: IPv6 and IPv4. */
  readonly hostIp: string;
  readonly port: number;
  readonly targetIp: string;
  readonly targetPort: number;
}

export type OpenedPort =
  /** `ipv6`: the port answers on `::` as well. */
  { readonly ok: true; readonly ipv6: boolean } | { readonly ok: false; readonly errno: string | undefined };

export interface SandboxPlan {
  readonly netnsPath: string;
  /** The namespace to pin at `netnsPath`; undefined makes one. */
  readonly netnsFrom?: string;
  /** New interfaces get no IPv6 (not even link-local) unless a network gives them some. */
  readonly disableIpv6: boolean;
  /** Keys below `net.`, set inside the namespace. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly interfaces: readonly InterfacePlan[];
}

export interface InterfacePlan {
  readonly name: string;
  readonly hostName: string;
  readonly bridge: string;
  readonly mac: string;
  readonly mtu: number;
  /** `172.17.0.2/16`. */
  readonly address: string;
  /** Default gateway; empty for none. */
  readonly gateway: string;
  /** See {@link BridgeSpec.isolated}. */
  readonly isolated: boolean;
}

export interface RulesWatch {
  readonly table: string;
  /** How often it is looked at all the same, in case a notification was lost; 0 is never. */
  readonly intervalMs: number;
}
