/** Go's zero time, which the Engine API sends where a time is not set. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** A set as Go writes it: every key with an empty object. */
export type WireSet = Readonly<Record<string, Readonly<Record<string, never>>>>;
export type StringMap = Readonly<Record<string, string>>;

/** The body of every failed request. `code` is ours and ignored by other clients. */
export interface ErrorResponse {
  readonly message: string;
  readonly code?: string;
}

export interface IDResponse {
  readonly Id: string;
}

/** OCI image-spec descriptor as the Engine API carries it. */
export interface OCIDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: StringMap;
  readonly data?: string;
  readonly platform?: OCIPlatform;
  readonly artifactType?: string;
}

export interface OCIPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly variant?: string;
}

/** Storage driver and its own facts (paths of the layers). */
export interface DriverData {
  readonly Name: string;
  readonly Data: StringMap | null;
}

/** One disk usage group of `GET /system/df`, API 1.52 and later. */
export interface DiskUsage<Item> {
  readonly ActiveCount: number;
  readonly TotalCount: number;
  /** Bytes. */
  readonly Reclaimable: number;
  /** Bytes. */
  readonly TotalSize: number;
  /** Only with `verbose`. */
  readonly Items?: readonly Item[];
}
