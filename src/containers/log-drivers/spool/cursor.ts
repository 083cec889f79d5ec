import { type FileHandle, stat } from 'node:fs/promises';
import { fingerprintOf, type OpenSpoolFile, openSpoolFile } from './open.ts';
import { scanSpool } from './scan.ts';

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
const NO_INODE = -1;

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
 * all are looked at from the newest on until it comes ({@link scanSpool}).
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
    const seen = new Set<string | undefined>();
    for await (const { opened } of scanSpool(this.#path)) {
      await using _opened = opened;
      if (isKnown(opened, current.fingerprint, current.inode)) break;
      if (seen.has(opened.fingerprint)) continue;
      seen.add(opened.fingerprint);
      bytes += await opened.size();
    }
    return bytes;
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

  async #isNewer(file: OpenSpoolFile): Promise<boolean> {
    for await (const { opened } of scanSpool(this.#path)) {
      await using _opened = opened;
      if (opened.inode === file.inode) return true;
      if (isKnown(opened, this.#position?.file)) return false;
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
    if (!wanted) return await this.#openAfter(undefined);
    for await (const { opened } of scanSpool(this.#path)) {
      if (isKnown(opened, wanted.file)) return await currentFile(opened, wanted.offset);
      await opened[Symbol.asyncDispose]();
    }
    const oldest = await this.#openAfter(undefined);
    if (oldest) this.#hasGap = true;
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
    try {
      for await (const { number, opened } of scanSpool(this.#path)) {
        const isEnd = isKnown(opened, fingerprint, inode);
        // Empty files that are not the newest hold nothing and never will.
        const isUseless = opened.fingerprint === undefined && number > 0;
        if (!isEnd && !isUseless) {
          await found?.[Symbol.asyncDispose]();
          found = opened;
          continue;
        }
        await opened[Symbol.asyncDispose]();
        if (isEnd) break;
      }
    } catch (error) {
      await found?.[Symbol.asyncDispose]();
      throw error;
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
  const { fingerprint, isCompressed } = opened;
  // A compressed file is not held open, so its inode may become another file's.
  const inode = isCompressed ? NO_INODE : opened.inode;
  return { handle: await opened.take(), inode, fingerprint, offset };
}

const isKnown = (file: OpenSpoolFile, fingerprint: string | undefined, inode?: number): boolean =>
  file.inode === inode || (file.fingerprint !== undefined && file.fingerprint === fingerprint);

const inodeOf = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.ino;
