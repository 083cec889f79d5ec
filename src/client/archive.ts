import type { PathStat } from '#api';
import type { ResponseBody } from './body.ts';
import { protocolError } from './errors.ts';
import { named, type Requester, segment } from './requester.ts';

export interface WriteArchiveOptions {
  /** Sets the owner to the container's user (dockerd) or keeps the archive's (this engine). */
  readonly copyUidGid?: boolean;
  readonly signal?: AbortSignal;
}

export interface CommitRequest {
  /** Empty makes an image without a name. */
  readonly repo: string;
  readonly tag: string;
  readonly message: string;
  readonly author: string;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Freeze the container meanwhile. */
  readonly pause: boolean;
}

/** Files of a container, and images made of them. Every call throws the daemon's error. */
export interface ArchivePart {
  /** What is at `path`; a link at the end is not followed. */
  statPath(ref: string, path: string): Promise<PathStat>;
  /** A tar archive of `path`, and what is there. */
  readArchive(
    ref: string,
    path: string,
    options?: { signal?: AbortSignal },
  ): Promise<{ readonly stat: PathStat; readonly body: ResponseBody }>;
  /** Unpacks a tar archive (plain or compressed) in the directory `path`; it never replaces a directory by a file. */
  writeArchive(
    ref: string,
    path: string,
    archive: AsyncIterable<Uint8Array>,
    options?: WriteArchiveOptions,
  ): Promise<void>;
  /** Makes an image of the container. Answers its ID. */
  commit(ref: string, request: CommitRequest): Promise<string>;
}

const STAT_HEADER = 'x-docker-container-path-stat';

function decodeStat(headers: ReadonlyMap<string, string>): PathStat {
  try {
    return JSON.parse(Buffer.from(headers.get(STAT_HEADER) ?? '', 'base64').toString()) as PathStat;
  } catch {
    throw protocolError(`header ${STAT_HEADER} is missing or broken`);
  }
}

/** The calls around `/containers/{id}/archive`, and `/commit`. */
export function createArchivePart(engine: Requester): ArchivePart {
  const at = (ref: string) => `/containers/${segment(ref)}/archive`;
  return {
    async statPath(ref, path) {
      const response = await engine.call('HEAD', at(ref), { query: { path } });
      await response.body.bytes();
      return decodeStat(response.headers);
    },
    async readArchive(ref, path, options) {
      const response = await engine.call('GET', at(ref), { query: { path }, signal: options?.signal });
      return { stat: decodeStat(response.headers), body: response.body };
    },
    writeArchive: (ref, path, archive, { copyUidGid, signal } = {}) =>
      engine.done('PUT', at(ref), {
        query: { path, noOverwriteDirNonDir: 'true', copyUIDGID: copyUidGid ? 'true' : undefined },
        headers: { 'Content-Type': 'application/x-tar' },
        stream: archive,
        signal,
      }),
    async commit(ref, { repo, tag, message, author, changes, pause }) {
      const text = (value: string) => (value === '' ? undefined : value);
      const query = {
        container: named(ref),
        repo: text(repo),
        tag: text(tag),
        comment: text(message),
        author: text(author),
        changes,
        pause: pause ? undefined : 0,
      };
      return (await engine.json<{ readonly Id: string }>('POST', '/commit', { query })).Id;
    },
  };
}
