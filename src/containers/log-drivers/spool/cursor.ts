import { type FileHandle, stat } from 'node:fs/promises';
import { listSpool, type SpoolFile } from './files.ts';
import { fingerprintOf, type OpenSpoolFile, openSpoolFile } from './open.ts';

/** A place in a spool. It outlives rotation, compression and the daemon. */
export interface SpoolPosition {
  /** Fingerprint of the file. */
  readonly file: string;
  /** Bytes of plain content from its start. */
  readonly offset: number;
}

/** A complete line without its newline, and where the next one begins. */
export interface SpoolLine {
  readonly line: Buffer;
  readonly next: SpoolPosition;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

interface CurrentFile {
  readonly handle: FileHandle;
  readonly inode: number;
  fingerprint: string | undefined;
  offset: number;
}

/**
 * Reads a spool's lines in order over all its files. One call at a time.
 *
 * The file being read is held open, so nothing that rotation does to its name matters. To find the file after it,
 * files are looked at from the newest to the oldest: a rotation meanwhile moves files in the same direction, so a file
 * may be met twice but none is passed over.
 */
export class SpoolCursor implements AsyncDisposable {
  readonly #path: string;
  #current: CurrentFile | undefined;
  /** Where reading goes on when no file is open: after the file of this fingerprint, or within it. */
  #position: SpoolPosition | undefined;
  #isMidDamage = false;
  #hasGap = false;

  /** Begins at `position`, else at the oldest line there is. */
  constructor(path: string, position?: SpoolPosition) {
    this.#path = path;
    this.#position = position;
  }

  /** Where the next line begins; undefined before the first one. */
  get position(): SpoolPosition | undefined {
    return this.#position;
  }

  /** Whether the file of the position was gone at the first reading; asking resets it. */
  takeGap(): boolean {
    const hasGap = this.#hasGap;
    this.#hasGap = false;
    return hasGap;
  }

  /** The next lines, some 64 KiB of them. Empty at the present end. */
  async read(): Promise<SpoolLine[]> {
    for (;;) {
      const current = await this.#ensureOpen();
      if (!current) return [];
      // Asked before reading: what comes after a rotation is not written to this file any more.
      const isReplaced = (await inodeOf(this.#path)) !== current.inode;
      const block = Buffer.allocUnsafe(BLOCK_BYTES);
      const { bytesRead } = await current.handle.read(block, 0, BLOCK_BYTES, current.offset);
      const lines = this.#split(current, block.subarray(0, bytesRead));
      if (lines.length > 0) return lines;
      if (bytesRead === BLOCK_BYTES || this.#isSkippedDamage(current, bytesRead)) continue;
      if (!isReplaced || !(await this.#moveOn(current))) return [];
    }
  }

  /** A line longer than a block is damage: it is passed over. */
  #isSkippedDamage(current: CurrentFile, bytesRead: number): boolean {
    if (!this.#isMidDamage || bytesRead === 0) return false;
    current.offset += bytesRead;
    return true;
  }

  #split(current: CurrentFile, block: Buffer): SpoolLine[] {
    if (current.offset === 0) current.fingerprint ??= fingerprintOf(block);
    const { fingerprint } = current;
    const lines: SpoolLine[] = [];
    if (fingerprint === undefined) return lines;
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      const next = { file: fingerprint, offset: current.offset + end + 1 };
      if (this.#isMidDamage) this.#isMidDamage = false;
      else lines.push({ line: block.subarray(start, end), next });
      start = end + 1;
    }
    if (start === 0 && block.length === BLOCK_BYTES) {
      this.#isMidDamage = true;
      start = block.length;
    }
    current.offset += start;
    if (start > 0) this.#position = { file: fingerprint, offset: current.offset };
    return lines;
  }

  /** Bytes that have not been read. */
  async unread(): Promise<number> {
    const current = await this.#ensureOpen();
    if (!current) return 0;
    let bytes = Math.max(0, (await current.handle.stat()).size - current.offset);
    for (const file of await listSpool(this.#path)) {
      const size = await this.#sizeOfNewer(file, current);
      if (size === undefined) break;
      bytes += size;
    }
    return bytes;
  }

  /** Undefined when `file` is not newer than the current one. */
  async #sizeOfNewer(file: SpoolFile, current: CurrentFile): Promise<number | undefined> {
    const opened = await openSpoolFile(file);
    if (!opened) return 0;
    await using _opened = opened;
    const isCurrent =
      opened.inode === current.inode ||
      (opened.fingerprint !== undefined && opened.fingerprint === current.fingerprint);
    return isCurrent ? undefined : await opened.size();
  }

  /** Passes over at least `bytes` of lines, if there are so many. Calls `onLine` for each. */
  async skip(bytes: number, onLine: (line: Buffer) => void): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const lines = await this.read();
      if (lines.length === 0) return;
      const current = await this.#ensureOpen();
      for (const { line, next } of lines) {
        if (left <= 0) {
          // The rest of the block is read again.
          const offset = next.offset - line.length - 1;
          if (current) current.offset = offset;
          this.#position = { file: next.file, offset };
          return;
        }
        onLine(line);
        left -= line.length + 1;
      }
    }
  }

  /** What of the file at `path` has not been read: none, the rest or all of it. */
  async progressIn(path: string, isCompressed: boolean): Promise<'read' | 'reading' | 'unread'> {
    const opened = await openSpoolFile({ path, isCompressed });
    if (!opened) return 'read';
    await using _opened = opened;
    if (this.#position === undefined) return opened.fingerprint === undefined ? 'read' : 'unread';
    if (opened.fingerprint === this.#position.file) {
      return this.#position.offset >= (await opened.size()) ? 'read' : 'reading';
    }
    return (await this.#isNewer(opened)) ? 'unread' : 'read';
  }

  async #isNewer(opened: OpenSpoolFile): Promise<boolean> {
    for (const file of await listSpool(this.#path)) {
      await using candidate = await openSpoolFile(file);
      if (candidate?.inode === opened.inode) return true;
      if (candidate?.fingerprint !== undefined && candidate.fingerprint === this.#position?.file)
        return false;
    }
    return true;
  }

  /** Passes over the rest of the file being read. Calls `onLine` for each line of it. */
  async skipFile(onLine: (line: Buffer) => void): Promise<void> {
    const file = await this.#ensureOpen();
    if (!file) return;
    const left = (await file.handle.stat()).size - file.offset;
    await this.skip(left, onLine);
    if (this.#current === file) await this.#moveOn(file);
  }

  async #ensureOpen(): Promise<CurrentFile | undefined> {
    this.#current ??= await this.#openFirst();
    return this.#current;
  }

  /** Opens the file of the position, else the oldest one. */
  async #openFirst(): Promise<CurrentFile | undefined> {
    const wanted = this.#position;
    const files = await listSpool(this.#path);
    for (const file of wanted ? files : []) {
      const opened = await openSpoolFile(file);
      if (opened && opened.fingerprint === wanted?.file)
        return await currentFile(opened, wanted?.offset ?? 0);
      await opened?.[Symbol.asyncDispose]();
    }
    const oldest = await this.#openAfter(undefined);
    if (wanted && oldest) this.#hasGap = true;
    return oldest;
  }

  /** Goes to the file after `current`. False when there is none yet. */
  async #moveOn(current: CurrentFile): Promise<boolean> {
    const next = await this.#openAfter(current.fingerprint ?? this.#position?.file, current.inode);
    if (!next) return false;
    await current.handle.close();
    this.#current = next;
    this.#isMidDamage = false;
    return true;
  }

  /** The oldest file that is newer than the one known by `fingerprint` or `inode`; the oldest of all when that is gone. */
  async #openAfter(fingerprint: string | undefined, inode?: number): Promise<CurrentFile | undefined> {
    let found: OpenSpoolFile | undefined;
    let isKnown = false;
    for (const file of await listSpool(this.#path)) {
      const opened = await openSpoolFile(file);
      if (!opened) continue;
      isKnown = opened.inode === inode || (fingerprint !== undefined && opened.fingerprint === fingerprint);
      // Empty files that are not the newest hold nothing and never will.
      const isUseless = opened.fingerprint === undefined && file.number > 0;
      if (isKnown || isUseless || isSame(opened, found)) {
        await opened[Symbol.asyncDispose]();
        if (isKnown) break;
        continue;
      }
      await found?.[Symbol.asyncDispose]();
      found = opened;
    }
    return found && (await currentFile(found, 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.handle.close();
  }
}

async function currentFile(opened: OpenSpoolFile, offset: number): Promise<CurrentFile> {
  const { fingerprint, inode } = opened;
  return { handle: await opened.take(), inode, fingerprint, offset };
}

const isSame = (a: OpenSpoolFile, b: OpenSpoolFile | undefined): boolean =>
  a.inode === b?.inode || (a.fingerprint !== undefined && a.fingerprint === b?.fingerprint);

const inodeOf = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.ino;
