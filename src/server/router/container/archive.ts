import type { PathStat } from '#api';
import { emptyPath, notOffered } from '../../errors.ts';
import { ok, type Reply, stream } from '../../http/reply.ts';
import type { Call } from '../route.ts';
import type { ContainerBackend } from './backend.ts';

type Plain<Query = object> = Call<Query, undefined>;

const STAT_HEADER = 'X-Docker-Container-Path-Stat';

interface WriteQuery {
  readonly path: string;
  readonly noOverwriteDirNonDir: boolean;
  readonly copyUIDGID: boolean;
}

/** Handlers of `docker cp`. */
export function archiveHandlers(backend: ContainerBackend) {
  return {
    async statPath({ target, query }: Plain<{ path: string }>): Promise<Reply> {
      if (query.path === '') throw emptyPath();
      if (!backend.statPath) throw notOffered('copying out of a container');
      return ok({ [STAT_HEADER]: encodeStat(await backend.statPath(target, query.path)) });
    },

    async readArchive({ target, query }: Plain<{ path: string }>): Promise<Reply> {
      if (query.path === '') throw emptyPath();
      if (!backend.readArchive) throw notOffered('copying out of a container');
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
      if (!backend.writeArchive) throw notOffered('copying into a container');
      await backend.writeArchive(target, query.path, request.body, {
        noOverwriteDirNonDir: query.noOverwriteDirNonDir,
        copyUidGid: query.copyUIDGID,
      });
      return ok();
    },
  };
}

function encodeStat(stat: PathStat): string {
  return Buffer.from(JSON.stringify(stat)).toString('base64');
}
