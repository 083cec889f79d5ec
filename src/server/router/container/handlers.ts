import type { Filters } from '#api';
import type { ContainerView } from '#containers';
import {
  type ContainerSurroundings,
  fromContainerView,
  summarizeContainer,
  withWantedMac,
} from '../../convert/container.ts';
import { toCreateRequest } from '../../convert/container-config.ts';
import { createWarnings } from '../../convert/create-warnings.ts';
import { orNull } from '../../convert/zero.ts';
import { emptyConfig, macOfContainer } from '../../errors.ts';
import { created, json, type Reply, stableList, stream } from '../../http/reply.ts';
import type { CreateBody } from '../../versions/create.ts';
import type { Call } from '../route.ts';
import type { ContainerBackend, ContainerReferences } from './backend.ts';

type Plain<Query = object> = Call<Query, undefined>;

const KIND = { modified: 0, added: 1, deleted: 2 } as const;

export function readHandlers(backend: ContainerBackend, references: ContainerReferences) {
  const surroundings = (): ContainerSurroundings => {
    const names = new Map<string, Map<string, string>>();
    const networkIds = new Map<string, string | undefined>();
    return {
      networkIdOf: (name) => {
        if (!networkIds.has(name)) networkIds.set(name, references.networkId(name));
        return networkIds.get(name);
      },
      imageName: (view) => imageName(view, references, names),
      nowMs: Date.now(),
    };
  };
  return {
    async list({
      query,
    }: Plain<{ all: boolean; limit: number | undefined; size: boolean; filters: Filters }>) {
      const views = backend.list({
        all: query.all,
        ...(query.limit === undefined ? {} : { limit: query.limit }),
        filters: query.filters,
      });
      const around = surroundings();
      if (!query.size) return stableList(views.map((view) => summarizeContainer(view, around)));
      const sizes = await Promise.all(views.map(({ id }) => backend.sizes(id)));
      return json(views.map((view, index) => summarizeContainer(view, around, sizes[index])));
    },

    async create({ query, body }: Call<{ name: string; platform: string | undefined }, CreateBody>) {
      const {
        HostConfig: _,
        NetworkingConfig: __,
        migrations = [],
        readOnlyNonRecursive = false,
        ...config
      } = body;
      if (Object.keys(config).length === 0) throw emptyConfig();
      if (body.MacAddress) throw macOfContainer();
      const request = toCreateRequest(body, {
        name: query.name || undefined,
        platform: query.platform,
        readOnlyNonRecursive,
      });
      const { id, warnings } = await backend.create(request);
      return created({ Id: id, Warnings: [...warnings, ...createWarnings(body), ...migrations] });
    },

    async inspect({ target, query }: Plain<{ size: boolean; legacy: boolean }>) {
      const view = backend.get(target);
      const sizes = query.size ? await backend.sizes(target) : undefined;
      const answer = fromContainerView(view, surroundings(), sizes);
      return json(query.legacy ? withWantedMac(answer, view) : answer);
    },

    async top({ target, query }: Plain<{ ps_args: string | undefined }>) {
      const { titles, processes } = await backend.top(target, query.ps_args);
      return json({ Processes: processes, Titles: titles });
    },

    async changes({ target }: Plain) {
      const changes = await backend.changes(target);
      return json(orNull(changes.map(({ path, kind }) => ({ Path: path, Kind: KIND[kind] }))));
    },

    async export({ target }: Plain): Promise<Reply> {
      const tar = await backend.export(target);
      return stream('application/octet-stream', async (sink) => {
        for await (const chunk of tar) await sink.write(chunk);
      });
    },
  };
}

/** Looked up once per image and name in a list. */
function imageName(
  { config: { image }, imageId }: ContainerView,
  references: ContainerReferences,
  known: Map<string, Map<string, string>>,
): string {
  let names = known.get(imageId);
  if (!names) {
    names = new Map();
    known.set(imageId, names);
  }
  let name = names.get(image);
  if (name === undefined) {
    name = references.meansImage(image, imageId) ? image : imageId;
    names.set(image, name);
  }
  return name;
}
