import { brokenArchive } from './errors.ts';
import { parseDecimal, parseNumber } from './numbers.ts';
import type { PaxRecords } from './pax.ts';
import type { TarSegment } from './types.ts';

const GNU_HEADER_SEGMENTS = { offset: 386, count: 4 } as const;
const GNU_EXTENSION_SEGMENTS = { offset: 0, count: 21 } as const;
const GNU_HEADER_IS_EXTENDED = 482;
const GNU_EXTENSION_IS_EXTENDED = 504;
const GNU_REAL_SIZE = { offset: 483, length: 12 } as const;
const SEGMENT_BYTES = 24;
/** Bytes of memory a segment is reckoned at, so that maps fall under the metadata limit. */
const SEGMENT_COST = 32;

/** Collects the map of an old GNU sparse member (type `S`) from its header and extension blocks. */
export class GnuSparseMap {
  readonly segments: TarSegment[] = [];
  readonly realSize: number;
  /** Whether another extension block follows. */
  hasMore: boolean;
  readonly #maxBytes: number;

  constructor(header: Uint8Array, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.realSize = parseNumber(header, GNU_REAL_SIZE.offset, GNU_REAL_SIZE.length);
    this.#read(header, GNU_HEADER_SEGMENTS);
    this.hasMore = header[GNU_HEADER_IS_EXTENDED] !== 0;
  }

  addExtension(block: Uint8Array): void {
    this.#read(block, GNU_EXTENSION_SEGMENTS);
    this.hasMore = block[GNU_EXTENSION_IS_EXTENDED] !== 0;
    if (this.segments.length * SEGMENT_COST > this.#maxBytes) throw brokenArchive('sparse map too long');
  }

  #read(block: Uint8Array, where: { readonly offset: number; readonly count: number }): void {
    for (let index = 0; index < where.count; index += 1) {
      const at = where.offset + index * SEGMENT_BYTES;
      if (block[at] === 0) return;
      this.segments.push({ offset: parseNumber(block, at, 12), length: parseNumber(block, at + 12, 12) });
    }
  }
}

/** What PAX records say about a sparse member (GNU formats 0.0, 0.1, 1.0). */
export interface PaxSparse {
  readonly name: string | undefined;
  readonly realSize: number;
  /** Undefined for format 1.0, whose map stands in front of the data. */
  readonly segments: TarSegment[] | undefined;
}

export function paxSparse(
  records: PaxRecords,
  lookup: (key: string) => string | undefined,
): PaxSparse | undefined {
  const realSize = lookup('GNU.sparse.realsize') ?? lookup('GNU.sparse.size');
  const isVersion1 = lookup('GNU.sparse.major') === '1' && lookup('GNU.sparse.minor') === '0';
  const map = lookup('GNU.sparse.map');
  const isVersion0 = map !== undefined || lookup('GNU.sparse.numblocks') !== undefined;
  if (!isVersion1 && !isVersion0) return undefined;
  if (realSize === undefined) throw brokenArchive('sparse member without its size');
  return {
    name: lookup('GNU.sparse.name'),
    realSize: parseDecimal(realSize, 'sparse size'),
    segments: isVersion1 ? undefined : map === undefined ? pairsOf(records) : parseMap(map),
  };
}

/** Format 0.1: `offset,length,offset,length…` in one record. */
function parseMap(map: string): TarSegment[] {
  return toSegments(map === '' ? [] : map.split(',').map((field) => parseDecimal(field, 'sparse map')));
}

/** Format 0.0: one record per number. */
function pairsOf(records: PaxRecords): TarSegment[] {
  const numbers: number[] = [];
  for (const [key, value] of records) {
    const expected = numbers.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
    if (key !== 'GNU.sparse.offset' && key !== 'GNU.sparse.numbytes') continue;
    if (key !== expected) throw brokenArchive('malformed sparse map');
    numbers.push(parseDecimal(Buffer.from(value).toString('latin1'), 'sparse map'));
  }
  return toSegments(numbers);
}

function toSegments(numbers: readonly number[]): TarSegment[] {
  if (numbers.length % 2 !== 0) throw brokenArchive('malformed sparse map');
  const segments: TarSegment[] = [];
  for (let index = 0; index < numbers.length; index += 2)
    segments.push({ offset: numbers[index] ?? 0, length: numbers[index + 1] ?? 0 });
  return segments;
}

/** Collects the map of format 1.0: decimal numbers, one a line, in whole blocks before the data. */
export class LeadingSparseMap {
  readonly #maxBytes: number;
  readonly #numbers: number[] = [];
  #expected: number | undefined;
  #line = '';
  #consumed = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the map read so far, always whole blocks. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Takes one block. Returns the map once it is complete. */
  add(block: Uint8Array): TarSegment[] | undefined {
    this.#consumed += block.length;
    if (this.#consumed > this.#maxBytes) throw brokenArchive('sparse map too long');
    for (const byte of block) {
      if (this.#isComplete()) break;
      if (byte === 0x0a) this.#takeLine();
      else this.#line += String.fromCharCode(byte);
      if (this.#line.length > 20) throw brokenArchive('malformed sparse map');
    }
    return this.#isComplete() ? toSegments(this.#numbers) : undefined;
  }

  #isComplete(): boolean {
    return this.#expected !== undefined && this.#numbers.length === this.#expected;
  }

  #takeLine(): void {
    const number = parseDecimal(this.#line, 'sparse map');
    this.#line = '';
    if (this.#expected !== undefined) this.#numbers.push(number);
    else if (number < 0 || number > this.#maxBytes) throw brokenArchive('sparse map too long');
    else this.#expected = number * 2;
  }
}

/**
 * Checks that segments ascend, do not overlap and fit into the file and into the stored data, and drops empty ones.
 * @throws `invalid_argument`.
 */
export function checkSegments(
  segments: readonly TarSegment[],
  realSize: number,
  storedSize: number,
): TarSegment[] {
  if (realSize < 0) throw brokenArchive('negative size');
  let end = 0;
  let stored = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0 || offset + length > realSize) throw brokenArchive('malformed sparse map');
    end = offset + length;
    stored += length;
  }
  if (stored !== storedSize) throw brokenArchive('sparse map does not match the stored size');
  return segments.filter(({ length }) => length > 0);
}
