import { formatApiVersion, MAX_API_VERSION, MIN_API_VERSION, tryParseApiVersion } from '#api';
import { badEscape, needsVersion, pageNotFound, versionTooNew, versionTooOld } from '../errors.ts';
import { compileRoutes } from '../router/match.ts';
import type { Call, Route } from '../router/route.ts';
import type { Change, ChangeTable } from '../versions/change.ts';
import { readJson } from './body.ts';
import { parseQuery, type RawQuery } from './query.ts';
import { empty, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

/** Answers requests; knows no sockets. */
export interface Dispatcher {
  /** Finds route and version, reads the input, calls the handler, applies the version's changes. Throws what went wrong. */
  dispatch(request: ApiRequest): Promise<Reply> | Reply;
}

interface CompiledRoute extends Route {
  /** Changes that hold for a version, newest first, by minor number. */
  readonly changes: readonly (readonly Change[])[];
}

const NO_CHANGES: readonly Change[] = [];
const VERSION_PREFIX = /^\/v([0-9.]+)(\/.*)$/;

export function createDispatcher(routes: readonly Route[], table: ChangeTable): Dispatcher {
  const match = compileRoutes(routes.map((route) => compile(route, table[route.name] ?? [])));
  return {
    dispatch(request) {
      if (request.method === 'OPTIONS') return empty(200);
      const { path, version } = splitVersion(decodePath(request.path));
      const found = match(request.method, path);
      if (!found) throw pageNotFound();
      const minor = checkVersion(version);
      const { route, target } = found;
      if (minor < (route.since ?? 0)) throw needsVersion(route, formatApiVersion(route.since ?? 0));
      if (minor > (route.until ?? MAX_API_VERSION)) throw pageNotFound();
      return runRoute(route, target, request, route.changes[minor] ?? NO_CHANGES);
    },
  };
}

function compile(route: Route, changes: readonly Change[]): CompiledRoute {
  const newestFirst = [...changes].sort((a, b) => b.before - a.before);
  return {
    ...route,
    changes: Array.from({ length: MAX_API_VERSION + 1 }, (_, minor) =>
      newestFirst.filter(({ before }) => minor < before),
    ),
  };
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw badEscape(path);
  }
}

function splitVersion(path: string): { readonly path: string; readonly version: string | undefined } {
  const match = path.startsWith('/v') ? VERSION_PREFIX.exec(path) : null;
  return match ? { path: match[2] ?? '/', version: match[1] } : { path, version: undefined };
}

function checkVersion(version: string | undefined): number {
  if (version === undefined) return MAX_API_VERSION;
  const minor = tryParseApiVersion(version) ?? -1;
  if (minor < MIN_API_VERSION) throw versionTooOld(version, formatApiVersion(MIN_API_VERSION));
  if (minor > MAX_API_VERSION) throw versionTooNew(version, formatApiVersion(MAX_API_VERSION));
  return minor;
}

function runRoute(
  route: CompiledRoute,
  target: string,
  request: ApiRequest,
  changes: readonly Change[],
): Promise<Reply> | Reply {
  const query = readQuery(route, request.search, changes);
  if (route.body?.kind === 'json') return runWithBody(route, { target, query, request }, changes);
  const call = { target, query, body: undefined, request };
  const reply = route.handle(call as unknown as Call<never, never>);
  if (changes.length === 0) return reply;
  return reply instanceof Promise
    ? reply.then((value) => changeReply(value, changes))
    : changeReply(reply, changes);
}

async function runWithBody(
  route: CompiledRoute,
  call: { readonly target: string; readonly query: object; readonly request: ApiRequest },
  changes: readonly Change[],
): Promise<Reply> {
  if (route.body?.kind !== 'json') return empty(500);
  const decoded = await readJson(call.request, route.body.decoder, route.body);
  const body = changes.reduceRight((value, change) => change.body?.(value) ?? value, decoded);
  const reply = await route.handle({ ...call, body } as unknown as Call<never, never>);
  return changeReply(reply, changes);
}

function readQuery(route: Route, search: string, changes: readonly Change[]): object {
  const raw: RawQuery = parseQuery(search);
  // From the client's version up to today's: the oldest change first.
  const query = changes.reduceRight((current, change) => change.query?.(current) ?? current, raw);
  const result: Record<string, unknown> = {};
  for (const name in route.params) result[name] = route.params[name]?.read(query.get(name), name);
  return result;
}

function changeReply(reply: Reply, changes: readonly Change[]): Reply {
  let current = reply;
  for (const change of changes) {
    if (change.reply) current = change.reply(current);
    else if (change.value && current.kind === 'json')
      current = { ...current, value: change.value(current.value) };
  }
  return current;
}
