import type { PathStat as WirePathStat } from '#api';
import type { PathStat } from '#containers';
import { formatNs } from '../../convert/timestamp.ts';
import { emptyPath } from '../../errors.ts';
import { ok, type Reply, stream } from '../../http/reply.ts';
import type { Call } from '../route.ts';
import type { ContainerBackend } from './backend.ts';

type Plain<Query = object> = Call<Query, undefined>;

const STAT_HEADER = 'X-Docker-Container-Path-Stat';

interface WriteQuery {
  readonly path: string;
  readonly noOverwriteDirNonDir: boolean;
  /** Numbers are kept with and without it. */
  readonly copyUIDGID: boolean;
  /** Our own: `user[:group]` for all that is written. */
  readonly chown: string | undefined;
}

/** Handlers of `docker cp`. */
export function archiveHandlers(backend: ContainerBackend) {
  return {
    async statPath({ target, query }: Plain<{ path: string }>): Promise<Reply> {
      if (query.path === '') throw emptyPath();
      return ok({ [STAT_HEADER]: encodeStat(await backend.statPath(target, query.path)) });
    },

    async readArchive({ target, query }: Plain<{ path: string }>): Promise<Reply> {
      if (query.path === '') throw emptyPath();
      const { stat, tar } = await backend.readArchive(target, query.path);
      return stream(
        'application/x-tar',
        async (sink) => {
          for await (const chunk of tar) await sink.write(chunk);
        },
        { headers: { [STAT_HEADER]: encodeStat(stat) } },
      );
    },

    async writeArchive({ target, query, request }: Plain<WriteQuery>): Promise<Reply> {
      if (query.path === '') throw emptyPath();
      await backend.writeArchive(target, query.path, request.body, {
        noOverwriteDirNonDir: query.noOverwriteDirNonDir,
        ...(query.chown === undefined ? {} : { chown: query.chown }),
        signal: request.signal,
      });
      return ok();
    },
  };
}

function encodeStat(stat: PathStat): string {
  const { name, size, mode, mtimeNs, linkTarget } = stat;
  const wire: WirePathStat = { name, size, mode, mtime: formatNs(mtimeNs), linkTarget };
  return Buffer.from(JSON.stringify(wire)).toString('base64');
}
