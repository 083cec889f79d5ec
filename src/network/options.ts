import type { Clock, Logger } from '#base';
import type { MetadataStore } from '#store';
import type { KernelEvents, NetworkKernel } from './kernel.ts';
import type { AddressPoolOption } from './subnet-choice.ts';

/** The bridge that is used when nobody names one; a second daemon on the machine takes `gantry1`, and so on. */
export const DEFAULT_BRIDGE = 'gantry0';

/** As a bridge's name: no default network. */
export const NO_BRIDGE = 'none';

/** The default `bridge` network, as dockerd's flags describe it. */
export interface DefaultBridgeOptions {
  /**
   * `--bridge`. An existing bridge is used and never removed; a missing one is made. Default: the first of
   * `gantry0`, `gantry1`, … that no other daemon uses. `none`: there is no bridge network, and containers that
   * ask for it have loopback alone.
   */
  readonly name?: string;
  /** `--bip`: address and network of the bridge, `192.168.5.1/24`. Default: a free network of the pools. */
  readonly bip?: string;
  /** `--fixed-cidr`: the part of the network containers get addresses from. */
  readonly fixedCidr?: string;
  /** `--default-gateway`. Default: the bridge's address. */
  readonly defaultGateway?: string;
  /** `--mtu`. Default 1500. */
  readonly mtu?: number;
  /** `--ip-masq`. Default true. */
  readonly masquerade?: boolean;
  /** `--icc`: containers reach each other. Default true. Needs the firewall. */
  readonly interContainer?: boolean;
}

export interface NetworkServiceOptions {
  readonly metadata: MetadataStore;
  /** Run root; namespaces are pinned in `netns/` below it. */
  readonly execRoot: string;
  readonly logger: Logger;
  readonly bridge?: DefaultBridgeOptions;
  /** `--default-address-pool`. Default: docker's local pools. */
  readonly addressPools?: readonly AddressPoolOption[];
  /** `--ip`: host address of ports published without one. Default: all. */
  readonly defaultHostIp?: string;
  /** `--iptables`: keep our nftables table. Without it nothing is translated, masqueraded or closed. Default true. */
  readonly firewall?: boolean;
  /** `--ip-forward`: turn the kernel's IPv4 forwarding on when it is off. Default true. */
  readonly ipForward?: boolean;
  /** How often the rules are looked at besides the kernel's notifications, in milliseconds; 0 is never. Default 5000. */
  readonly rulesCheckMs?: number;
  /** Host ports held by a socket at most. Default 2048. */
  readonly maxHeldPorts?: number;
  /** For the pauses between attempts to set up what failed. Default: the real time. */
  readonly clock?: Clock;
  /** Makes the kernel. Default: the network Worker. */
  readonly createKernel?: (events: KernelEvents) => NetworkKernel;
}
