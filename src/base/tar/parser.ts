import { brokenArchive } from './errors.ts';
import { BLOCK_SIZE, decodeHeader, isZeroBlock, type RawHeader } from './header.ts';
import { globalRecords, type Member, resolveMember } from './member.ts';
import { decodeName } from './names.ts';
import { type PaxRecords, parsePaxRecords } from './pax.ts';
import { checkSegments, GnuSparseMap, LeadingSparseMap } from './sparse.ts';
import type { TarHeader, TarLimits, TarSegment } from './types.ts';

/** Receives the members of an archive in order: `entry`, then `data` any number of times, then `end`. */
export interface TarSink {
  entry(header: TarHeader): void;
  /**
   * Bytes of the current file at `offset` within it. `chunk` is a view into what was pushed: it is valid
   * only as long as that buffer. Holes of sparse files are never delivered.
   */
  data(chunk: Uint8Array, offset: number): void;
  end(): void;
}

const DEFAULT_MAX_METADATA_BYTES = 1024 * 1024;
const DEFAULT_MAX_PATH_BYTES = 4095;
const META_FLAGS = 'xXgLK';

/** `block`s are collected whole; the others count `#remaining` down. */
type State = 'header' | 'gnu-sparse' | 'sparse-map' | 'metadata' | 'body' | 'padding' | 'done';

/**
 * A push parser for tar streams: synchronous, zero copy, bounded memory. Reads ustar, star, V7, GNU long names,
 * PAX (also global), GNU sparse members in all four formats and base-256 numbers.
 *
 * Anything after the end mark is ignored. A stream that ends between two members without a mark is accepted,
 * as other readers do; one that ends within a member is not.
 *
 * @throws `invalid_argument` from {@link push} and {@link finish} for a broken archive; what the sink throws passes through.
 */
export class TarParser {
  readonly #sink: TarSink;
  readonly #maxMetadataBytes: number;
  readonly #maxPathBytes: number;
  readonly #block = new Uint8Array(BLOCK_SIZE);
  #blockFill = 0;
  #state: State = 'header';
  #remaining = 0;
  #padding = 0;
  #sawZeroBlock = false;

  #metadata: Uint8Array = new Uint8Array(0);
  #metadataFlag = '';
  #global: PaxRecords = [];
  #pax: PaxRecords | undefined;
  #longPath: string | undefined;
  #longLink: string | undefined;
  #gnuSparse: { readonly raw: RawHeader; readonly map: GnuSparseMap } | undefined;
  #leading: { readonly member: Member; readonly map: LeadingSparseMap } | undefined;

  #segments: readonly TarSegment[] | undefined;
  #segmentIndex = 0;
  #position = 0;
  #delivers = false;

  constructor(sink: TarSink, limits: TarLimits = {}) {
    this.#sink = sink;
    this.#maxMetadataBytes = limits.maxMetadataBytes ?? DEFAULT_MAX_METADATA_BYTES;
    this.#maxPathBytes = limits.maxPathBytes ?? DEFAULT_MAX_PATH_BYTES;
  }

  /** Whether the end mark has been read. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#state !== 'done') at += this.#consume(chunk, at);
  }

  /** Says that the stream has ended. @throws `invalid_argument` when it ended in the middle of something. */
  finish(): void {
    const isBetweenMembers = this.#state === 'header' && this.#blockFill === 0 && !this.#hasExtensions();
    if (this.#state !== 'done' && !isBetweenMembers) throw brokenArchive('unexpected end');
    this.#state = 'done';
  }

  #consume(chunk: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'body':
        return this.#takeBody(chunk, at);
      case 'metadata':
        return this.#takeMetadata(chunk, at);
      case 'padding':
        return this.#takePadding(chunk.length - at);
      default:
        return this.#takeBlock(chunk, at);
    }
  }

  #takeBlock(chunk: Uint8Array, at: number): number {
    if (this.#blockFill === 0 && chunk.length - at >= BLOCK_SIZE) {
      this.#onBlock(chunk.subarray(at, at + BLOCK_SIZE));
      return BLOCK_SIZE;
    }
    const length = Math.min(BLOCK_SIZE - this.#blockFill, chunk.length - at);
    this.#block.set(chunk.subarray(at, at + length), this.#blockFill);
    this.#blockFill += length;
    if (this.#blockFill === BLOCK_SIZE) {
      this.#blockFill = 0;
      this.#onBlock(this.#block);
    }
    return length;
  }

  #onBlock(block: Uint8Array): void {
    if (this.#state === 'gnu-sparse') this.#onGnuSparseBlock(block);
    else if (this.#state === 'sparse-map') this.#onSparseMapBlock(block);
    else this.#onHeaderBlock(block);
  }

  #onHeaderBlock(block: Uint8Array): void {
    if (isZeroBlock(block)) {
      if (this.#hasExtensions()) throw brokenArchive('extended header without a member');
      if (this.#sawZeroBlock) this.#state = 'done';
      this.#sawZeroBlock = true;
      return;
    }
    if (this.#sawZeroBlock) throw brokenArchive('lone zero block');
    const raw = decodeHeader(block);
    if (META_FLAGS.includes(raw.typeflag)) this.#beginMetadata(raw);
    else if (raw.typeflag === 'V') this.#beginBody(raw.size, undefined);
    else if (raw.typeflag === 'S') this.#beginGnuSparse(raw, block);
    else this.#beginMember(raw, undefined);
  }

  #beginMetadata(raw: RawHeader): void {
    if (raw.size < 0) throw brokenArchive('negative size');
    if (raw.size > this.#maxMetadataBytes) throw brokenArchive('extended header too long');
    this.#metadataFlag = raw.typeflag;
    this.#metadata = new Uint8Array(raw.size);
    this.#remaining = raw.size;
    this.#padding = paddingOf(raw.size);
    this.#state = 'metadata';
    if (raw.size === 0) this.#endMetadata();
  }

  #takeMetadata(chunk: Uint8Array, at: number): number {
    const length = Math.min(this.#remaining, chunk.length - at);
    this.#metadata.set(chunk.subarray(at, at + length), this.#metadata.length - this.#remaining);
    this.#remaining -= length;
    if (this.#remaining === 0) this.#endMetadata();
    return length;
  }

  #endMetadata(): void {
    const body = this.#metadata;
    if (this.#metadataFlag === 'L') this.#longPath = longName(body);
    else if (this.#metadataFlag === 'K') this.#longLink = longName(body);
    else if (this.#metadataFlag === 'g') this.#global = globalRecords(parsePaxRecords(body));
    else this.#pax = parsePaxRecords(body);
    this.#metadata = new Uint8Array(0);
    this.#beginPadding();
  }

  #beginGnuSparse(raw: RawHeader, block: Uint8Array): void {
    const map = new GnuSparseMap(block, this.#maxMetadataBytes);
    this.#gnuSparse = { raw, map };
    if (map.hasMore) this.#state = 'gnu-sparse';
    else this.#beginMember(raw, map);
  }

  #onGnuSparseBlock(block: Uint8Array): void {
    const pending = this.#gnuSparse;
    if (!pending) return;
    pending.map.addExtension(block);
    if (!pending.map.hasMore) this.#beginMember(pending.raw, pending.map);
  }

  #beginMember(raw: RawHeader, gnuSparse: GnuSparseMap | undefined): void {
    const extensions = {
      global: this.#global,
      pax: this.#pax ?? [],
      longPath: this.#longPath,
      longLink: this.#longLink,
      gnuSparse,
    };
    this.#pax = undefined;
    this.#longPath = undefined;
    this.#longLink = undefined;
    this.#gnuSparse = undefined;
    const member = resolveMember(raw, extensions, this.#maxPathBytes);
    if (!member.hasLeadingMap) {
      this.#beginBody(member.storedSize, member.header);
      return;
    }
    this.#leading = { member, map: new LeadingSparseMap(this.#maxMetadataBytes) };
    this.#state = 'sparse-map';
  }

  #onSparseMapBlock(block: Uint8Array): void {
    const pending = this.#leading;
    if (!pending) return;
    const { member, map } = pending;
    const segments = map.add(block);
    if (map.consumed > member.storedSize) throw brokenArchive('sparse map longer than its member');
    if (!segments) return;
    this.#leading = undefined;
    const dataSize = member.storedSize - map.consumed;
    const sparse = checkSegments(segments, member.header.size, dataSize);
    this.#beginBody(dataSize, { ...member.header, sparse });
  }

  /** `header` undefined skips the body. */
  #beginBody(storedSize: number, header: TarHeader | undefined): void {
    if (storedSize < 0) throw brokenArchive('negative size');
    this.#remaining = storedSize;
    this.#padding = paddingOf(storedSize);
    this.#segments = header?.sparse;
    this.#segmentIndex = 0;
    this.#position = header?.sparse?.[0]?.offset ?? 0;
    this.#delivers = header?.type === 'file';
    this.#state = 'body';
    if (header) this.#sink.entry(header);
    if (header && (storedSize === 0 || !this.#delivers)) this.#sink.end();
    if (storedSize === 0) this.#beginPadding();
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    let length = Math.min(this.#remaining, chunk.length - at);
    if (this.#delivers) length = this.#deliver(chunk, at, length);
    this.#remaining -= length;
    if (this.#remaining === 0) {
      if (this.#delivers) this.#sink.end();
      this.#beginPadding();
    }
    return length;
  }

  /** Hands over at most `limit` bytes, within one segment. Returns how many. */
  #deliver(chunk: Uint8Array, at: number, limit: number): number {
    const segment = this.#segments?.[this.#segmentIndex];
    const length = segment ? Math.min(limit, segment.offset + segment.length - this.#position) : limit;
    this.#sink.data(chunk.subarray(at, at + length), this.#position);
    this.#position += length;
    if (segment && this.#position === segment.offset + segment.length) {
      this.#segmentIndex += 1;
      this.#position = this.#segments?.[this.#segmentIndex]?.offset ?? this.#position;
    }
    return length;
  }

  #beginPadding(): void {
    this.#remaining = this.#padding;
    this.#state = this.#padding === 0 ? 'header' : 'padding';
  }

  #takePadding(available: number): number {
    const length = Math.min(this.#remaining, available);
    this.#remaining -= length;
    if (this.#remaining === 0) this.#state = 'header';
    return length;
  }

  #hasExtensions(): boolean {
    return this.#pax !== undefined || this.#longPath !== undefined || this.#longLink !== undefined;
  }
}

/** Bytes that fill `size` up to whole blocks. */
export function paddingOf(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
}

function longName(body: Uint8Array): string {
  let end = body.length;
  while (end > 0 && body[end - 1] === 0) end -= 1;
  const name = body.subarray(0, end);
  if (name.includes(0)) throw brokenArchive('NUL in a name');
  return decodeName(name);
}
