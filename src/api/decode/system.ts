import { type Decoder, map, string, struct } from '../json/decoder.ts';
import type { AuthConfig } from '../types/system.ts';
import type { VolumeCreateRequest } from '../types/volume.ts';

/** `POST /auth` and the header `X-Registry-Auth`. */
export const authConfig: Decoder<AuthConfig> = struct<AuthConfig>(
  'AuthConfig',
  {
    username: string,
    password: string,
    auth: string,
    serveraddress: string,
    identitytoken: string,
    registrytoken: string,
  },
  { goType: 'registry.AuthConfig' },
);

/** `POST /volumes/create`. */
export const volumeCreateRequest: Decoder<VolumeCreateRequest> = struct<VolumeCreateRequest>(
  'CreateRequest',
  { Name: string, Driver: string, DriverOpts: map(string), Labels: map(string) },
  { goType: 'volume.CreateRequest' },
);

/** The query parameter `platform` of image inspect. */
export interface PlatformRequest {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
}

export const platformRequest: Decoder<PlatformRequest> = struct<PlatformRequest>(
  'Platform',
  { os: string, architecture: string, variant: string },
  { goType: 'v1.Platform' },
);
