import { closeSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { readTar, type TarEntry } from '#base';
import { type Digest, digestOf, isDigest } from '#oci';
import type { ContentStore, Snapshotter, StagedLayer } from '#store';
import { malformed } from '../errors.ts';
import type { Lease } from '../garbage.ts';
import { MAGIC_BYTES } from './compression.ts';
import { receiveBlob } from './receive.ts';

/** A file of an archive: kept in memory when small, else in the content store under the operation's lease. */
export interface Member {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Uint8Array | undefined;
  /** Unpacked already, should it be the lowest layer of an image. */
  readonly staged?: StagedLayer;
}

/** Bounds on what an archive may make us keep. */
export interface SpoolLimits {
  /** Members of any kind. Default 20,000: an image needs three, and one for each layer. */
  readonly maxMembers?: number;
  /** Files up to this size stay in memory. Default 256 KiB. */
  readonly smallBytes?: number;
  /** All small files together. Default 32 MiB; what is beyond goes to the content store. */
  readonly memoryBytes?: number;
}

export interface SpoolOptions {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly lease: Lease;
  readonly limits?: SpoolLimits;
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_MEMBERS = 20_000;
const DEFAULT_SMALL_BYTES = 256 * 1024;
const DEFAULT_MEMORY_BYTES = 32 * 1024 * 1024;
const MAX_LINKS = 40;
const BLOB_PREFIX = '/blobs/sha256/';

/**
 * The members of an archive by name. Names are only keys here and never touch a file system, so that `..`,
 * absolute names and links cannot lead out of the archive.
 */
export class Spool {
  readonly #files = new Map<string, Member>();
  readonly #links = new Map<string, string>();

  readonly #options: SpoolOptions;
  #memoryLeft: number;
  #members = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#memoryLeft = options.limits?.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  }

  /**
   * Reads an archive to its end in one pass.
   * @throws `invalid_argument` for a broken archive or one beyond the limits.
   */
  async receive(archive: AsyncIterable<Uint8Array>): Promise<void> {
    const maxMembers = this.#options.limits?.maxMembers ?? DEFAULT_MAX_MEMBERS;
    for await (const entry of readTar(archive)) {
      this.#options.signal?.throwIfAborted();
      this.#members += 1;
      if (this.#members > maxMembers) throw malformed('image archive', `more than ${maxMembers} members`);
      await this.#take(entry);
    }
  }

  async #take(entry: TarEntry): Promise<void> {
    const { header } = entry;
    const path = memberKey(header.path);
    if (header.type === 'symlink') this.#link(path, posix.resolve(posix.dirname(path), header.linkPath));
    if (header.type === 'hardlink') this.#link(path, header.linkPath);
    if (header.type !== 'file') return;
    // A hole of a terabyte costs nothing to send.
    if (header.sparse !== undefined) throw malformed('image archive', 'it has a sparse member');
    this.#links.delete(path);
    this.#files.set(path, await this.#keep(path, entry));
  }

  async #keep(path: string, entry: TarEntry): Promise<Member> {
    const { limits } = this.#options;
    const { size } = entry.header;
    if (size <= Math.min(limits?.smallBytes ?? DEFAULT_SMALL_BYTES, this.#memoryLeft)) {
      this.#memoryLeft -= size;
      const bytes = await entry.bytes(size);
      return { digest: digestOf(bytes), size, bytes };
    }
    return receiveBlob(entry.body, { ...this.#options, mayBeNew: !this.#isKnownLayer(path) });
  }

  /** Archives since docker 25 name blobs by digest; the digest of a plain lowest layer is its chain ID. */
  #isKnownLayer(path: string): boolean {
    const digest = path.replace(BLOB_PREFIX, 'sha256:');
    return isDigest(digest) && this.#options.snapshotter.layer(digest) !== undefined;
  }

  #link(path: string, target: string): void {
    this.#files.delete(path);
    this.#links.set(path, memberKey(target));
  }

  /** The file at a path, links followed; undefined when there is none. */
  find(path: string): Member | undefined {
    let key = memberKey(path);
    for (let hops = 0; hops < MAX_LINKS; hops += 1) {
      const target = this.#links.get(key) ?? this.#throughDirectoryLink(key);
      if (target === undefined) return this.#files.get(key);
      key = target;
    }
    return undefined;
  }

  /** `a/b` where `a` is a link. */
  #throughDirectoryLink(key: string): string | undefined {
    for (let at = key.indexOf('/', 1); at > 0; at = key.indexOf('/', at + 1)) {
      const target = this.#links.get(key.slice(0, at));
      if (target !== undefined) return memberKey(`${target}${key.slice(at)}`);
    }
    return undefined;
  }
}

/** Absolute and clean; `..` stops at the archive's root. */
const memberKey = (path: string): string => posix.join('/', path).replace(/(?!^)\/$/, '');

/** The whole file, for documents. @throws `invalid_argument` when it is longer than `maxBytes`. */
export async function memberBytes(
  member: Member,
  content: ContentStore,
  what: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (member.size > maxBytes) throw malformed(what, `larger than ${maxBytes} bytes`);
  return member.bytes ?? content.readAll(member.digest, { maxBytes });
}

/** Puts a member that is still in memory into the content store. */
export async function storeMember(member: Member, content: ContentStore, lease: Lease): Promise<void> {
  lease.blobs(member.digest);
  if (member.bytes !== undefined) await content.write(member.bytes, { expectedDigest: member.digest });
}

/** The first bytes of a member. */
export function memberHead(member: Member, content: ContentStore): Uint8Array {
  if (member.bytes !== undefined) return member.bytes.subarray(0, MAGIC_BYTES);
  const head = Buffer.alloc(MAGIC_BYTES);
  const fd = openSync(content.path(member.digest), 'r');
  try {
    return head.subarray(0, readSync(fd, head, 0, MAGIC_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}
