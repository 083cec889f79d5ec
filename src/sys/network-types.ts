/** The network's part of {@link Sys}: routes and links, packet filter, flows. */
import type { Fd } from './types.ts';

/** Errors carry the kernel's extended acknowledgement text where it gives one. */
export interface RouteSocket extends Disposable {
  links(): Link[];
  link(name: string): Link | undefined;
  createBridge(name: string, options?: { readonly mtu?: number; readonly mac?: string }): void;
  createDummy(name: string): void;
  /** Makes both ends in one message; the peer is born inside the namespace at `peerNetns` under its final name. */
  createVeth(options: {
    readonly name: string;
    readonly peerName: string;
    readonly peerNetns: string;
    readonly peerMac?: string;
    readonly master?: string;
    readonly mtu?: number;
    /** Sets the near end up in the same message. The peer is brought up inside its namespace. */
    readonly up?: boolean;
  }): void;
  setLink(
    name: string,
    change: {
      readonly up?: boolean;
      readonly master?: string | null;
      readonly mtu?: number;
      readonly mac?: string;
      /** Of a bridge's port: it may send back what came from it. */
      readonly hairpin?: boolean;
      /** Of a bridge's port: it exchanges nothing with other isolated ports. */
      readonly isolated?: boolean;
    },
  ): void;
  deleteLink(name: string): void;
  addresses(linkName?: string): LinkAddress[];
  /** `cidr` such as `172.17.0.2/16` or `fd00::2/64`. Duplicate-address detection is off for IPv6. */
  addAddress(linkName: string, cidr: string): void;
  removeAddress(linkName: string, cidr: string): void;
  routes(): Route[];
  addRoute(route: {
    readonly destination?: string;
    readonly gateway?: string;
    readonly linkName?: string;
  }): void;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly kind: string | undefined;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly masterIndex: number | undefined;
}

export interface LinkAddress {
  readonly linkIndex: number;
  readonly address: string;
  readonly prefixLength: number;
}

export interface Route {
  /** CIDR; undefined is the default route. */
  readonly destination: string | undefined;
  readonly gateway: string | undefined;
  readonly linkIndex: number | undefined;
}

export interface Nftables extends Disposable {
  /**
   * Runs nft commands (the text syntax of nft(8)) as one transaction: all or nothing.
   * @throws SysError with nft's message.
   */
  run(commands: string): void;
  /** Runs one listing command with JSON output and returns its parsed `nftables` array. */
  query(command: string): readonly Record<string, unknown>[];
}

/** What was changed in nftables: for each transaction the tables it touched, in nft's notation (`inet filter`). */
export interface RulesChanges {
  readonly transactions: readonly ReadonlySet<string>[];
  /** False when some were lost, because more came than the queue holds. */
  readonly isComplete: boolean;
}

/** The kernel's notifications of nftables changes. Those of a transaction are queued before it returns. */
export interface RulesMonitor extends Disposable {
  /** Readable when something was changed. An event loop that adopts it owns it: then do not dispose. */
  readonly fd: Fd;
  /** What is queued. Never waits. */
  read(): RulesChanges;
  /** As {@link read}, for a datagram that somebody else has received from `fd`. */
  decode(datagram: Uint8Array): RulesChanges;
}

/** A tracked flow of datagrams over IPv4. */
export interface Flow {
  /** Where the first datagram was sent to. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Who answers: another address than `destination` when it was translated. */
  readonly receiver: string;
  /** The kernel's identity of it, for {@link FlowSocket.deleteFlow}. */
  readonly tuple: Uint8Array;
  readonly id: Uint8Array;
}

export interface FlowSocket extends Disposable {
  /** UDP flows over IPv4 sent to `port`, whatever the address. */
  udpFlowsTo(port: number): Flow[];
  /** False when it is gone already. */
  deleteFlow(flow: Flow): boolean;
}
