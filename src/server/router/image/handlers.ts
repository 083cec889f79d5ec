import type { Filters } from '#api';
import { fromDeletion, fromHistory, fromImage, summarizeImage } from '../../convert/image.ts';
import { orNull } from '../../convert/zero.ts';
import { blankImageName, manifestsOfPlatform, notOffered } from '../../errors.ts';
import { progressReply } from '../../http/progress.ts';
import { empty, json, type Reply, stream } from '../../http/reply.ts';
import { type ApiRequest, header } from '../../http/request.ts';
import type { Call } from '../route.ts';
import type { ImageBackend } from './backend.ts';
import {
  familiarName,
  importPlatform,
  joinReference,
  listFilters,
  platformFromJson,
  pruneOptions,
  readCredentials,
} from './input.ts';
import { sharedBytes } from './shared-bytes.ts';

type Plain<Query = object> = Call<Query, undefined>;

interface CreateQuery {
  readonly fromImage: string;
  readonly fromSrc: string;
  readonly repo: string;
  readonly tag: string;
  readonly message: string;
  readonly changes: readonly string[];
  readonly platform: string | undefined;
}

export function imageHandlers(backend: ImageBackend) {
  return {
    list({ query }: Plain<{ filters: Filters; 'shared-size': boolean }>) {
      const shared = query['shared-size'] ? sharedBytes(backend.diskUsage()) : undefined;
      const images = backend.list(listFilters(query.filters));
      return json(
        images.map((image) =>
          summarizeImage(image, familiarName, {
            containers: backend.countContainers(image.id),
            sharedBytes: shared?.get(image.id) ?? -1,
          }),
        ),
      );
    },

    inspect({ target, query }: Plain<{ manifests: boolean; platform: string | undefined }>) {
      const platform = query.platform ? platformFromJson(query.platform) : undefined;
      if (query.manifests && platform) throw manifestsOfPlatform();
      const image = backend.get(target, platform);
      return json(fromImage(image, familiarName));
    },

    history: ({ target }: Plain) => json(backend.history(target).map(fromHistory)),

    tag({ target, query }: Plain<{ repo: string; tag: string }>): Reply {
      backend.tag(target, joinReference(query.repo, query.tag));
      return empty(201);
    },

    async remove({ target, query }: Plain<{ force: boolean; noprune: boolean }>) {
      if (target.trim() === '') throw blankImageName();
      const deletions = await backend.remove(target, { force: query.force, prune: !query.noprune });
      return json(deletions.map(fromDeletion));
    },

    async prune({ query }: Plain<{ filters: Filters }>) {
      const { deleted, reclaimedBytes } = await backend.prune(pruneOptions(query.filters));
      return json({ ImagesDeleted: orNull(deleted.map(fromDeletion)), SpaceReclaimed: reclaimedBytes });
    },

    save: ({ query }: Plain<{ names: readonly string[] }>) => saveReply(backend, query.names),

    saveOne: ({ target }: Plain) => saveReply(backend, [target]),

    load({ query, request }: Plain<{ quiet: boolean }>): Reply {
      return progressReply(
        async ({ onProgress, signal }) => {
          await backend.load(request.body, { quiet: query.quiet, onProgress, signal });
        },
        { inBand: true },
      );
    },

    create({ query, request }: Plain<CreateQuery>): Reply {
      return query.fromImage ? pullReply(backend, query, request) : importReply(backend, query, request);
    },
  };
}

function saveReply(backend: ImageBackend, names: readonly string[]): Reply {
  const tar = backend.save(names);
  return stream('application/x-tar', async (sink) => {
    for await (const chunk of tar) await sink.write(chunk);
  });
}

function pullReply(backend: ImageBackend, query: CreateQuery, request: ApiRequest): Reply {
  const pull = backend.pull?.bind(backend);
  if (!pull) throw notOffered('pulling images');
  return progressReply(({ onProgress, signal }) =>
    pull({
      reference: joinReference(query.fromImage.replace(/:$/, ''), query.tag),
      platform: query.platform,
      credentials: readCredentials(header(request, 'x-registry-auth')),
      onProgress,
      signal,
    }),
  );
}

function importReply(backend: ImageBackend, query: CreateQuery, request: ApiRequest): Reply {
  if (query.fromSrc !== '-') throw notOffered('importing from a URL');
  const reference = joinReference(query.repo, query.tag);
  const platform = importPlatform(query.platform);
  return progressReply(async ({ send, onProgress, signal }) => {
    const image = await backend.importRootfs(request.body, {
      ...(reference === '' ? {} : { reference }),
      message: query.message || `Imported from ${query.fromSrc}`,
      changes: query.changes,
      ...(platform ? { platform } : {}),
      onProgress,
      signal,
    });
    await send({ status: image.id });
  });
}
