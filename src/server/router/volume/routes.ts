import { type Filters, type VolumeCreateRequest, volumeCreateRequest } from '#api';
import { fromVolume } from '../../convert/volume.ts';
import { omitEmpty, omitEmptyObject, orNull } from '../../convert/zero.ts';
import { filters, flag } from '../../http/query.ts';
import { created, json, noContent } from '../../http/reply.ts';
import { type Call, type Route, route } from '../route.ts';
import type { VolumeBackend } from './backend.ts';

export function volumeRoutes(backend: VolumeBackend): Route[] {
  const on = volumeHandlers(backend);
  return [
    route({
      name: 'VolumeList',
      method: 'GET',
      path: '/volumes',
      summary: 'Volumes.',
      params: { filters },
      handle: on.list,
    }),
    route({
      name: 'VolumeCreate',
      method: 'POST',
      path: '/volumes/create',
      summary: 'Makes a volume; one of that name that exists is answered.',
      body: volumeCreateRequest,
      handle: on.create,
    }),
    route({
      name: 'VolumeInspect',
      method: 'GET',
      path: '/volumes/{name}',
      summary: 'One volume.',
      handle: on.inspect,
    }),
    route({
      name: 'VolumeDelete',
      method: 'DELETE',
      path: '/volumes/{name}',
      summary: 'Removes a volume that no container uses.',
      params: { force: flag },
      handle: on.remove,
    }),
    route({
      name: 'VolumePrune',
      method: 'POST',
      path: '/volumes/prune',
      since: 25,
      summary: 'Removes unused anonymous volumes; with the filter `all=true` named ones too.',
      params: { filters },
      handle: on.prune,
    }),
  ];
}

function volumeHandlers(backend: VolumeBackend) {
  return {
    list: ({ query }: Call<{ filters: Filters }, undefined>) =>
      json({ Volumes: backend.list(query.filters).map(fromVolume), Warnings: null }),
    async create({ body }: Call<object, VolumeCreateRequest>) {
      const volume = await backend.create({
        ...omitEmpty('name', body.Name ?? undefined),
        ...omitEmpty('driver', body.Driver ?? undefined),
        ...omitEmptyObject('labels', body.Labels ?? undefined),
        ...omitEmptyObject('options', body.DriverOpts ?? undefined),
      });
      return created(fromVolume(volume));
    },
    inspect: ({ target }: Call<object, undefined>) => json(fromVolume(backend.get(target))),
    async remove({ target, query }: Call<{ force: boolean }, undefined>) {
      await backend.remove(target, { force: query.force });
      return noContent();
    },
    async prune({ query }: Call<{ filters: Filters }, undefined>) {
      const { deleted, reclaimedBytes } = await backend.prune(query.filters);
      return json({ VolumesDeleted: orNull(deleted), SpaceReclaimed: reclaimedBytes });
    },
  };
}
