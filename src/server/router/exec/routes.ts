import { execCreateRequest, execStartRequest } from '#api';
import { flagDefaultTrue, optionalFlag, optionalText, text } from '../../http/query.ts';
import { type Route, route } from '../route.ts';
import type { ExecBackend } from './backend.ts';
import { execHandlers } from './handlers.ts';

export function execRoutes(backend: ExecBackend): Route[] {
  const on = execHandlers(backend);
  return [
    route({
      name: 'ContainerExec',
      method: 'POST',
      path: '/containers/{id}/exec',
      summary:
        'Prepares a command in a running container. Our own: `killOnDisconnect` kills the command and all it has started when its client goes away without detaching; default: whether the container has the label `gantry.exec.kill-on-disconnect=true`.',
      params: { killOnDisconnect: optionalFlag },
      body: execCreateRequest,
      handle: on.create,
    }),
    route({
      name: 'ExecStart',
      method: 'POST',
      path: '/exec/{id}/start',
      summary: 'Runs a prepared command; takes the connection over unless `Detach`.',
      body: execStartRequest,
      handle: on.start,
    }),
    route({
      name: 'ExecInspect',
      method: 'GET',
      path: '/exec/{id}/json',
      summary: 'State of a command.',
      handle: on.inspect,
    }),
    route({
      name: 'ExecResize',
      method: 'POST',
      path: '/exec/{id}/resize',
      summary: "Sets the size of the command's terminal.",
      params: { h: text, w: text },
      handle: on.resize,
    }),
    route({
      name: 'GantryExecKill',
      method: 'POST',
      path: '/gantry/exec/{id}/kill',
      summary:
        'Our own: sends a signal (default KILL) to the command and, unless `all=0`, to all it has started.',
      params: { signal: optionalText, all: flagDefaultTrue },
      handle: on.kill,
    }),
  ];
}
