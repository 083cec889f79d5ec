import { boolean, type Decoder, int, list, map, string, struct } from '../json/decoder.ts';
import type {
  EndpointIPAMConfig,
  EndpointSettingsRequest,
  IPAMConfig,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from '../types/network.ts';

export const endpointSettings: Decoder<EndpointSettingsRequest> = struct<EndpointSettingsRequest>(
  'EndpointSettings',
  {
    IPAMConfig: struct<EndpointIPAMConfig>('EndpointIPAMConfig', {
      IPv4Address: string,
      IPv6Address: string,
      LinkLocalIPs: list(string),
    }),
    Links: list(string),
    Aliases: list(string),
    DriverOpts: map(string),
    GwPriority: int,
    NetworkID: string,
    EndpointID: string,
    Gateway: string,
    IPAddress: string,
    MacAddress: string,
    IPPrefixLen: int,
    IPv6Gateway: string,
    GlobalIPv6Address: string,
    GlobalIPv6PrefixLen: int,
    DNSNames: list(string),
  },
  { goType: 'network.EndpointSettings' },
);

/** `POST /networks/create`. */
export const networkCreateRequest: Decoder<NetworkCreateRequest> = struct<NetworkCreateRequest>(
  'CreateRequest',
  {
    Name: string,
    Driver: string,
    Scope: string,
    Internal: boolean,
    Attachable: boolean,
    Ingress: boolean,
    ConfigOnly: boolean,
    ConfigFrom: struct<NonNullable<NetworkCreateRequest['ConfigFrom']>>('ConfigReference', {
      Network: string,
    }),
    IPAM: struct<NonNullable<NetworkCreateRequest['IPAM']>>('IPAM', {
      Driver: string,
      Options: map(string),
      Config: list(
        struct<IPAMConfig>('IPAMConfig', {
          Subnet: string,
          IPRange: string,
          Gateway: string,
          AuxiliaryAddresses: map(string),
        }),
      ),
    }),
    EnableIPv4: boolean,
    EnableIPv6: boolean,
    Options: map(string),
    Labels: map(string),
  },
  { goType: 'network.CreateRequest' },
);

/** `POST /networks/{id}/connect`. */
export const networkConnectRequest: Decoder<NetworkConnectRequest> = struct<NetworkConnectRequest>(
  'ConnectRequest',
  { Container: string, EndpointConfig: endpointSettings },
  { goType: 'network.ConnectRequest' },
);

/** `POST /networks/{id}/disconnect`. */
export const networkDisconnectRequest: Decoder<NetworkDisconnectRequest> = struct<NetworkDisconnectRequest>(
  'DisconnectRequest',
  { Container: string, Force: boolean },
  { goType: 'network.DisconnectRequest' },
);
