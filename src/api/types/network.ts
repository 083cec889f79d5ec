import type { StringMap } from './common.ts';

export interface EndpointIPAMConfig {
  readonly IPv4Address?: string;
  readonly IPv6Address?: string;
  readonly LinkLocalIPs?: readonly string[];
}

export interface EndpointSettings {
  readonly IPAMConfig: EndpointIPAMConfig | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly DriverOpts: StringMap | null;
  readonly GwPriority: number;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly MacAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DNSNames: readonly string[] | null;
}

/** The settings a client may send for an endpoint. */
export type EndpointSettingsRequest = { readonly [K in keyof EndpointSettings]?: EndpointSettings[K] | null };

export interface NetworkingConfig {
  readonly EndpointsConfig: Readonly<Record<string, EndpointSettingsRequest | null>>;
}

export interface IPAMConfig {
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  readonly AuxiliaryAddresses?: StringMap;
}

export interface IPAM {
  readonly Driver: string;
  readonly Options: StringMap | null;
  readonly Config: readonly IPAMConfig[] | null;
}

export interface NetworkSummary {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: IPAM;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  readonly Options: StringMap | null;
  readonly Labels: StringMap | null;
}

export interface EndpointResource {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  /** With prefix length, such as `172.17.0.2/16`. */
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

export interface SubnetStatus {
  readonly IPsInUse: number;
  readonly DynamicIPsAvailable: number;
}

export interface NetworkInspect extends NetworkSummary {
  readonly Containers: Readonly<Record<string, EndpointResource>>;
  readonly Status?: { readonly IPAM: { readonly Subnets: Readonly<Record<string, SubnetStatus>> } };
}

/** Body of `POST /networks/create`. */
export interface NetworkCreateRequest {
  readonly Name?: string | null;
  readonly Driver?: string | null;
  readonly Scope?: string | null;
  readonly Internal?: boolean | null;
  readonly Attachable?: boolean | null;
  readonly Ingress?: boolean | null;
  readonly ConfigOnly?: boolean | null;
  readonly ConfigFrom?: { readonly Network?: string | null } | null;
  readonly IPAM?: { readonly [K in keyof IPAM]?: IPAM[K] | null } | null;
  readonly EnableIPv4?: boolean | null;
  readonly EnableIPv6?: boolean | null;
  readonly Options?: StringMap | null;
  readonly Labels?: StringMap | null;
}

export interface NetworkCreateResponse {
  readonly Id: string;
  readonly Warning: string;
}

export interface NetworkConnectRequest {
  readonly Container?: string | null;
  readonly EndpointConfig?: EndpointSettingsRequest | null;
}

export interface NetworkDisconnectRequest {
  readonly Container?: string | null;
  readonly Force?: boolean | null;
}

export interface NetworksPruneResponse {
  readonly NetworksDeleted: readonly string[] | null;
}
