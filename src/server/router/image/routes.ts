import { filters, flag, flagDefaultTrue, optionalText, text, texts } from '../../http/query.ts';
import { type Route, route } from '../route.ts';
import type { ImageBackend } from './backend.ts';
import { imageHandlers } from './handlers.ts';

type Handlers = ReturnType<typeof imageHandlers>;

export function imageRoutes(backend: ImageBackend): Route[] {
  const on = imageHandlers(backend);
  return [...readRoutes(on), ...changeRoutes(on), ...archiveRoutes(on)];
}

function readRoutes(on: Handlers): Route[] {
  return [
    route({
      name: 'ImageList',
      method: 'GET',
      path: '/images/json',
      summary: 'Images, newest first.',
      params: { all: flag, filters, 'shared-size': flag, digests: flag, manifests: flag },
      handle: on.list,
    }),
    route({
      name: 'ImageInspect',
      method: 'GET',
      path: '/images/{name}/json',
      summary: 'Everything about one image.',
      params: { manifests: flag, platform: optionalText },
      handle: on.inspect,
    }),
    route({
      name: 'ImageHistory',
      method: 'GET',
      path: '/images/{name}/history',
      summary: 'How the image was made, newest step first.',
      params: { platform: optionalText },
      handle: on.history,
    }),
  ];
}

function changeRoutes(on: Handlers): Route[] {
  return [
    route({
      name: 'ImageTag',
      method: 'POST',
      path: '/images/{name}/tag',
      summary: 'Gives another name.',
      params: { repo: text, tag: text },
      handle: on.tag,
    }),
    route({
      name: 'ImageDelete',
      method: 'DELETE',
      path: '/images/{name}',
      summary: 'Removes a name, and the image with its last one.',
      params: { force: flag, noprune: flag },
      handle: on.remove,
    }),
    route({
      name: 'ImagePrune',
      method: 'POST',
      path: '/images/prune',
      since: 25,
      summary: 'Removes images without a name; with the filter `dangling=false` all unused ones.',
      params: { filters },
      handle: on.prune,
    }),
  ];
}

function archiveRoutes(on: Handlers): Route[] {
  return [
    route({
      name: 'ImageGetAll',
      method: 'GET',
      path: '/images/get',
      summary: 'Several images as one archive.',
      params: { names: texts },
      handle: on.save,
    }),
    route({
      name: 'ImageGet',
      method: 'GET',
      path: '/images/{name}/get',
      summary: 'One image as an archive.',
      handle: on.saveOne,
    }),
    route({
      name: 'ImageLoad',
      method: 'POST',
      path: '/images/load',
      summary: 'Takes in an archive (docker or OCI).',
      params: { quiet: flagDefaultTrue },
      streamBody: true,
      handle: on.load,
    }),
    route({
      name: 'ImageCreate',
      method: 'POST',
      path: '/images/create',
      summary: 'Pulls (`fromImage`) or imports a root file system (`fromSrc=-`).',
      params: {
        fromImage: text,
        fromSrc: text,
        repo: text,
        tag: text,
        message: text,
        changes: texts,
        platform: optionalText,
      },
      streamBody: true,
      handle: on.create,
    }),
  ];
}
