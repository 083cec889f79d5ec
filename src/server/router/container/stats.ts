import { type ContainerStatsResponse, STREAM_TYPE } from '#api';
import { canceled } from '#base';
import { fromStats } from '../../convert/stats.ts';
import { streamOneShot } from '../../errors.ts';
import { flag, flagDefaultTrue } from '../../http/query.ts';
import { json, type Reply, stream } from '../../http/reply.ts';
import { type Call, type Route, route } from '../route.ts';
import type { ContainerBackend } from './backend.ts';

interface StatsQuery {
  readonly stream: boolean;
  readonly 'one-shot': boolean;
  /** Set by the version table: no `os_type`. */
  readonly legacy: boolean;
}

export function statsRoute(backend: ContainerBackend): Route {
  return route({
    name: 'ContainerStats',
    method: 'GET',
    path: '/containers/{id}/stats',
    summary: 'What a container uses, every second or once.',
    params: { stream: flagDefaultTrue, 'one-shot': flag, legacy: flag },
    handle: (call) => statsReply(backend, call),
  });
}

async function statsReply(
  backend: ContainerBackend,
  { target, query, request }: Call<StatsQuery, undefined>,
): Promise<Reply> {
  const isOneShot = query['one-shot'];
  if (query.stream && isOneShot) throw streamOneShot();
  const view = backend.get(target);
  const mode = query.stream ? 'stream' : isOneShot ? 'one-shot' : 'once';
  const samples = backend.stats(view.id, { mode, signal: request.signal });
  const wire = (sample: Parameters<typeof fromStats>[0]): ContainerStatsResponse => {
    const { os_type: _, ...legacy } = fromStats(sample, view);
    return query.legacy ? legacy : fromStats(sample, view);
  };
  if (query.stream) {
    return stream(STREAM_TYPE.json, async (sink) => {
      for await (const sample of samples) await sink.write(`${JSON.stringify(wire(sample))}\n`);
    });
  }
  for await (const sample of samples) return json(wire(sample));
  // Removed meanwhile: the error of an unknown container.
  backend.get(target);
  throw canceled('no statistics were read');
}
