import type { ContainerUpdateRequest, Filters } from '#api';
import { toRestartPolicy } from '../../convert/host-config.ts';
import { toResourceChange } from '../../convert/resources.ts';
import { orNull } from '../../convert/zero.ts';
import { cannotKill, startWithBody } from '../../errors.ts';
import { json, noContent, type Reply } from '../../http/reply.ts';
import { contentLength } from '../../http/request.ts';
import type { Call } from '../route.ts';
import type { ContainerBackend } from './backend.ts';

type Plain<Query = object> = Call<Query, undefined>;

interface StopQuery {
  readonly t: number | undefined;
  readonly signal: string | undefined;
}

/** Handlers that move a container through its life. */
export function lifeHandlers(backend: ContainerBackend) {
  return {
    async start({ target, request }: Plain): Promise<Reply> {
      const length = contentLength(request);
      // "{}" and "null" are harmless and sent by old clients.
      if (length > 7 || length === -1) throw startWithBody();
      await backend.start(target);
      return noContent();
    },

    async stop({ target, query }: Plain<StopQuery>) {
      await backend.stop(target, stopOptions(query));
      return noContent();
    },

    async restart({ target, query }: Plain<StopQuery>) {
      await backend.restart(target, stopOptions(query));
      return noContent();
    },

    async kill({ target, query }: Plain<{ signal: string | undefined }>) {
      try {
        await backend.kill(target, query.signal);
      } catch (error) {
        throw cannotKill(target, error);
      }
      return noContent();
    },

    async pause({ target }: Plain) {
      await backend.pause(target);
      return noContent();
    },

    async unpause({ target }: Plain) {
      await backend.unpause(target);
      return noContent();
    },

    async rename({ target, query }: Plain<{ name: string }>) {
      await backend.rename(target, query.name);
      return noContent();
    },

    async update({ target, body }: Call<object, ContainerUpdateRequest>) {
      const policy = body.RestartPolicy?.Name ? toRestartPolicy(body.RestartPolicy) : undefined;
      const { warnings } = await backend.update(target, {
        resources: toResourceChange(body),
        ...(policy ? { restartPolicy: policy } : {}),
      });
      return json({ Warnings: orNull(warnings) });
    },

    async remove({ target, query }: Plain<{ force: boolean; v: boolean; link: boolean }>) {
      await backend.remove(target, { force: query.force, volumes: query.v, link: query.link });
      return noContent();
    },

    async prune({ query }: Plain<{ filters: Filters }>) {
      const { deleted, reclaimedBytes } = await backend.prune(query.filters);
      return json({ ContainersDeleted: orNull(deleted), SpaceReclaimed: reclaimedBytes });
    },
  };
}

function stopOptions({ t, signal }: StopQuery) {
  return { ...(t === undefined ? {} : { timeoutS: t }), ...(signal === undefined ? {} : { signal }) };
}
