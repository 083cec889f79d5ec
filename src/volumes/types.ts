/** A volume as stored. Only the local driver exists: a directory below the data root. */
export interface Volume {
  readonly name: string;
  readonly driver: 'local';
  /** Absolute path of the directory that containers see. */
  readonly mountpoint: string;
  /** ISO time. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `type`, `device`, `o` and `size`, as given. With a device the volume is mounted while containers run with it. */
  readonly options: Readonly<Record<string, string>>;
  /** Made for a container that named none; such volumes go with `rm -v` and with `prune`. */
  readonly anonymous: boolean;
}

export interface CreateVolume {
  /** Undefined makes an anonymous volume with a random name. */
  readonly name?: string;
  /** `local` or empty. */
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** Filters of `docker volume ls`: alternatives within a key, all keys must match (labels all count). */
export type VolumeFilters = Readonly<Record<string, readonly string[]>>;

/**
 * Volumes and who uses them.
 *
 * A *hold* is a container's claim on a volume, running or not: a held volume is never removed or pruned. Holds
 * live in memory; the containers room places them anew from its own rows before the first request is served.
 */
export interface VolumeService {
  /** @throws `not_found` (`get X: no such volume`). */
  get(name: string): Volume;
  list(filters?: VolumeFilters): Volume[];
  /** Idempotent: an existing name answers with the volume there. @throws `invalid_argument`, `not_found` (unknown driver). */
  create(options: CreateVolume): Promise<Volume>;
  /** @throws `conflict` (`remove X: volume is in use - […]`), `not_found` unless forced. */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Removes volumes without holds and options: anonymous ones, with the filter `all=true` named ones too. */
  prune(
    filters?: VolumeFilters,
  ): Promise<{ readonly deleted: readonly string[]; readonly reclaimedBytes: number }>;
  hold(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  /** Bytes in the volume, as of a few seconds ago. @throws `not_found`. */
  usage(name: string): Promise<number>;
  /** IDs of containers that hold the volume, or for which it is still being mounted. */
  usersOf(name: string): readonly string[];
  /**
   * Mounts what the options name at the volume's mount point, for the first user. Does nothing for a volume without options
   * and a user that has it. @throws `not_found` (`get X: no such volume`), also when only its row is lost: its directory alone
   * may be the wrong place to write to; `internal` with docker's text (`error while mounting volume …`).
   */
  mount(name: string, user: string): Promise<void>;
  /**
   * Lets go of those who wait for mounts of a user, or of all: they get `canceled`, as do new ones until it is disposed. What is
   * mounted too late is unmounted.
   */
  giveUpMounts(user?: string): Disposable;
  /** Ends what the user had mounted; after the last user of a volume it is unmounted. Idempotent. @throws when the kernel refuses. */
  unmountFor(user: string): Promise<void>;
  /** Tells, before the first mount, which users have which volumes mounted; what else is mounted is unmounted. */
  restoreMounts(users: ReadonlyMap<string, readonly string[]>): void;
}
