import { type AuthConfig, type Filters, STREAM_TYPE } from '#api';
import type { EngineEvent } from '#base';
import { encodeEvent } from '../../convert/event.ts';
import { fromInfo, fromVersion } from '../../convert/info.ts';
import { notOffered, sinceAfterUntil } from '../../errors.ts';
import { acceptedType } from '../../http/accept.ts';
import { json, type Reply, stream } from '../../http/reply.ts';
import type { Call } from '../route.ts';
import type { SystemBackend } from './backend.ts';
import { streamEvents } from './events.ts';

const PING_HEADERS = {
  'Builder-Version': '1',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Swarm: 'inactive',
} as const;

const PING: Reply = { kind: 'text', status: 200, text: 'OK', headers: PING_HEADERS };
const PING_HEAD: Reply = { kind: 'text', status: 200, text: '', headers: PING_HEADERS };

export interface EventsQuery {
  readonly since: bigint | undefined;
  readonly until: bigint | undefined;
  readonly filters: Filters;
  /** Set by the version table: the fields that clients before 1.52 read. */
  readonly legacy: boolean;
  /** Set by the version table: no `create` of images, which clients before 1.46 do not know. */
  readonly noImageCreate: boolean;
}

/** What a client may ask for by `Accept`. */
const EVENT_TYPES = [STREAM_TYPE.jsonLines, STREAM_TYPE.ndjson, STREAM_TYPE.jsonSequence];
/** In a JSON text sequence every text begins with it. Source: RFC 7464. */
const RECORD_SEPARATOR = '\x1e';

export function systemHandlers(backend: SystemBackend) {
  return {
    ping: () => PING,
    pingHead: () => PING_HEAD,
    version: () => json(fromVersion(backend.version())),
    info: async () => json(fromInfo(await backend.info())),
    events({ query, request }: Call<EventsQuery, undefined>): Reply {
      const { since, until, filters, legacy, noImageCreate } = query;
      if (since !== undefined && until !== undefined && until < since) {
        throw sinceAfterUntil(seconds(since), seconds(until));
      }
      const type = acceptedType(request, EVENT_TYPES) ?? (legacy ? STREAM_TYPE.json : STREAM_TYPE.jsonLines);
      const before = type === STREAM_TYPE.jsonSequence ? RECORD_SEPARATOR : '';
      const range = {
        sinceNs: since,
        untilNs: until,
        filters,
        hides: noImageCreate ? isImageCreate : isNone,
      };
      return stream(type, (sink) =>
        streamEvents(backend.events, range, sink, (event) => before + encodeEvent(event, legacy)),
      );
    },
    async auth({ body, request }: Call<object, AuthConfig>): Promise<Reply> {
      if (!backend.authenticate) throw notOffered('registry authentication');
      const token = await backend.authenticate(
        {
          username: body.username ?? '',
          password: body.password ?? '',
          serverAddress: body.serveraddress ?? '',
          identityToken: body.identitytoken ?? '',
        },
        request.signal,
      );
      return json({ Status: 'Login Succeeded', ...(token ? { IdentityToken: token } : {}) });
    },
  };
}

const isImageCreate = ({ type, action }: EngineEvent): boolean => type === 'image' && action === 'create';
const isNone = (): boolean => false;

function seconds(ns: bigint): string {
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return `${ns / 1_000_000_000n}${fraction ? `.${fraction}` : ''}`;
}
