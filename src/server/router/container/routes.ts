import { containerCreateRequest, containerUpdateRequest } from '#api';
import {
  filters,
  flag,
  flagDefaultTrue,
  optionalInteger,
  optionalText,
  text,
  timestampNs,
} from '../../http/query.ts';
import { type Route, route } from '../route.ts';
import { archiveHandlers } from './archive.ts';
import type { ContainerBackend, ContainerReferences } from './backend.ts';
import { detachKeys } from './detach-keys.ts';
import { readHandlers } from './handlers.ts';
import { lifeHandlers } from './lifecycle.ts';
import { statsRoute } from './stats.ts';
import { containerStreams } from './streams.ts';

type ReadHandlers = ReturnType<typeof readHandlers>;
type LifeHandlers = ReturnType<typeof lifeHandlers>;
type Streams = ReturnType<typeof containerStreams>;

export function containerRoutes(backend: ContainerBackend, references: ContainerReferences): Route[] {
  const read = readHandlers(backend, references);
  const life = lifeHandlers(backend);
  return [
    ...readRoutes(read),
    ...lifeRoutes(life, read.create),
    ...streamRoutes(containerStreams(backend)),
    statsRoute(backend),
    ...copyRoutes(archiveHandlers(backend)),
  ];
}

function readRoutes(on: ReadHandlers): Route[] {
  return [
    route({
      name: 'ContainerList',
      method: 'GET',
      path: '/containers/json',
      summary: 'Containers, newest first; running ones unless `all`.',
      params: { all: flag, limit: optionalInteger, size: flag, filters },
      handle: on.list,
    }),
    route({
      name: 'ContainerInspect',
      method: 'GET',
      path: '/containers/{id}/json',
      summary: 'Everything about one container.',
      params: { size: flag, legacy: flag },
      handle: on.inspect,
    }),
    route({
      name: 'ContainerTop',
      method: 'GET',
      path: '/containers/{id}/top',
      summary: 'Processes, as `ps` shows them.',
      params: { ps_args: optionalText },
      handle: on.top,
    }),
    route({
      name: 'ContainerChanges',
      method: 'GET',
      path: '/containers/{id}/changes',
      summary: 'What differs from the image.',
      handle: on.changes,
    }),
    route({
      name: 'ContainerExport',
      method: 'GET',
      path: '/containers/{id}/export',
      summary: 'The root file system as a tar.',
      handle: on.export,
    }),
  ];
}

function lifeRoutes(on: LifeHandlers, create: ReadHandlers['create']): Route[] {
  const stopParams = { t: optionalInteger, signal: optionalText };
  const post = <T extends 'pause' | 'unpause'>(name: string, verb: T, summary: string): Route =>
    route({ name, method: 'POST', path: `/containers/{id}/${verb}`, summary, handle: on[verb] });
  return [
    route({
      name: 'ContainerCreate',
      method: 'POST',
      path: '/containers/create',
      summary: 'Makes a container, without starting it.',
      params: { name: text, platform: optionalText },
      body: containerCreateRequest,
      bodyRequired: true,
      handle: create,
    }),
    route({
      name: 'ContainerStart',
      method: 'POST',
      path: '/containers/{id}/start',
      summary:
        'Starts a container; 304 when it runs. `detachKeys` is checked, and used by an attach of its own.',
      params: { detachKeys },
      handle: on.start,
    }),
    route({
      name: 'ContainerStop',
      method: 'POST',
      path: '/containers/{id}/stop',
      summary: 'Stops a container: signal, then kill after `t` seconds; 304 when it does not run.',
      params: stopParams,
      handle: on.stop,
    }),
    route({
      name: 'ContainerRestart',
      method: 'POST',
      path: '/containers/{id}/restart',
      summary: 'Stops and starts.',
      params: stopParams,
      handle: on.restart,
    }),
    route({
      name: 'ContainerKill',
      method: 'POST',
      path: '/containers/{id}/kill',
      summary: 'Sends a signal, KILL by default.',
      params: { signal: optionalText },
      handle: on.kill,
    }),
    post('ContainerPause', 'pause', 'Freezes all processes.'),
    post('ContainerUnpause', 'unpause', 'Thaws all processes.'),
    route({
      name: 'ContainerRename',
      method: 'POST',
      path: '/containers/{id}/rename',
      summary: 'Gives another name.',
      params: { name: text },
      handle: on.rename,
    }),
    ...changeRoutes(on),
  ];
}

function changeRoutes(on: LifeHandlers): Route[] {
  return [
    route({
      name: 'ContainerUpdate',
      method: 'POST',
      path: '/containers/{id}/update',
      summary: 'Changes limits and restart policy.',
      body: containerUpdateRequest,
      handle: on.update,
    }),
    route({
      name: 'ContainerDelete',
      method: 'DELETE',
      path: '/containers/{id}',
      summary: 'Removes a container.',
      params: { force: flag, v: flag, link: flag },
      handle: on.remove,
    }),
    route({
      name: 'ContainerPrune',
      method: 'POST',
      path: '/containers/prune',
      since: 25,
      summary: 'Removes all stopped containers.',
      params: { filters },
      handle: on.prune,
    }),
  ];
}

function streamRoutes(on: Streams): Route[] {
  return [
    route({
      name: 'ContainerLogs',
      method: 'GET',
      path: '/containers/{id}/logs',
      summary: 'What the container wrote.',
      params: {
        follow: flag,
        stdout: flag,
        stderr: flag,
        since: timestampNs,
        until: timestampNs,
        timestamps: flag,
        details: flag,
        tail: text,
      },
      handle: on.logs,
    }),
    route({
      name: 'ContainerAttach',
      method: 'POST',
      path: '/containers/{id}/attach',
      summary: 'Takes the connection over for the streams of the main process.',
      params: { stdin: flag, stdout: flag, stderr: flag, logs: flag, stream: flag, detachKeys: text },
      handle: on.attach,
    }),
    route({
      name: 'ContainerAttachWebsocket',
      method: 'GET',
      path: '/containers/{id}/attach/ws',
      summary: 'As ContainerAttach, over a WebSocket: both output streams as messages.',
      params: {
        stdin: flag,
        stdout: flag,
        stderr: flag,
        logs: flag,
        stream: flag,
        detachKeys: text,
        text: flag,
      },
      handle: on.attachWebSocket,
    }),
    route({
      name: 'ContainerWait',
      method: 'POST',
      path: '/containers/{id}/wait',
      summary: 'Answers at once, with the exit code when there is one.',
      params: { condition: text, early: flagDefaultTrue, mute: flag },
      handle: on.wait,
    }),
    route({
      name: 'ContainerResize',
      method: 'POST',
      path: '/containers/{id}/resize',
      summary: 'Sets the size of the terminal.',
      params: { h: text, w: text },
      handle: on.resize,
    }),
  ];
}

function copyRoutes(on: ReturnType<typeof archiveHandlers>): Route[] {
  return [
    route({
      name: 'ContainerArchiveInfo',
      method: 'HEAD',
      path: '/containers/{id}/archive',
      summary: 'Facts about a path, in a header.',
      params: { path: text },
      handle: on.statPath,
    }),
    route({
      name: 'ContainerArchive',
      method: 'GET',
      path: '/containers/{id}/archive',
      summary: 'A path as a tar.',
      params: { path: text },
      handle: on.readArchive,
    }),
    route({
      name: 'PutContainerArchive',
      method: 'PUT',
      path: '/containers/{id}/archive',
      summary: 'Unpacks a tar at a path.',
      params: { path: text, noOverwriteDirNonDir: flag, copyUIDGID: flag, chown: optionalText },
      streamBody: true,
      handle: on.writeArchive,
    }),
  ];
}
