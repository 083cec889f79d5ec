import type { StringMap } from './common.ts';

export interface Volume {
  readonly CreatedAt?: string;
  readonly Driver: string;
  readonly Labels: StringMap | null;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: StringMap | null;
  readonly Scope: string;
  readonly Status?: Readonly<Record<string, unknown>>;
  /** Only in `GET /system/df`. Bytes; -1 is not known. */
  readonly UsageData?: { readonly Size: number; readonly RefCount: number };
}

/** Body of `POST /volumes/create`. */
export interface VolumeCreateRequest {
  readonly Name?: string | null | undefined;
  readonly Driver?: string | null | undefined;
  readonly DriverOpts?: StringMap | null | undefined;
  readonly Labels?: StringMap | null | undefined;
}

export interface VolumeListResponse {
  readonly Volumes: readonly Volume[] | null;
  readonly Warnings: readonly string[] | null;
}

export interface VolumesPruneResponse {
  readonly VolumesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
