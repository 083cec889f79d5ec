import { authConfig } from '#api';
import { filters, flag, timestampNs } from '../../http/query.ts';
import { type Route, route } from '../route.ts';
import type { SystemBackend } from './backend.ts';
import { systemHandlers } from './handlers.ts';

export function systemRoutes(backend: SystemBackend): Route[] {
  const on = systemHandlers(backend);
  return [
    route({
      name: 'SystemPing',
      method: 'GET',
      path: '/_ping',
      summary: 'Says that the engine answers, and what it speaks.',
      handle: on.ping,
    }),
    route({
      name: 'SystemPingHead',
      method: 'HEAD',
      path: '/_ping',
      summary: 'As SystemPing, headers only.',
      handle: on.pingHead,
    }),
    route({
      name: 'SystemVersion',
      method: 'GET',
      path: '/version',
      summary: 'Versions of the engine and its parts.',
      handle: on.version,
    }),
    route({
      name: 'SystemInfo',
      method: 'GET',
      path: '/info',
      summary: 'State of the engine and its host.',
      handle: on.info,
    }),
    route({
      name: 'SystemEvents',
      method: 'GET',
      path: '/events',
      summary: 'Streams what happens, one JSON object a line.',
      params: { since: timestampNs, until: timestampNs, filters, legacy: flag, noImageCreate: flag },
      handle: on.events,
    }),
    route({
      name: 'SystemAuth',
      method: 'POST',
      path: '/auth',
      summary: 'Checks credentials at a registry.',
      body: authConfig,
      anyContentType: true,
      bodyRequired: true,
      handle: on.auth,
    }),
  ];
}
