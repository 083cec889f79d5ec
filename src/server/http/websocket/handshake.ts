import { createHash } from 'node:crypto';
import { badWebSocketRequest, foreignOrigin } from '../../errors.ts';
import type { Headers } from '../reply.ts';
import { type ApiRequest, header } from '../request.ts';

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The headers that accept a WebSocket request.
 * @throws `invalid_argument` for anything but a handshake of version 13, `forbidden` when a page of another host asks:
 * a browser would let any page reach an engine that listens on TCP.
 */
export function acceptWebSocket(request: ApiRequest): Headers {
  const upgrade = header(request, 'upgrade') ?? '';
  const key = header(request, 'sec-websocket-key') ?? '';
  if (upgrade.toLowerCase() !== 'websocket') throw badWebSocketRequest('not websocket protocol');
  if (header(request, 'sec-websocket-version') !== '13')
    throw badWebSocketRequest('missing or bad WebSocket Version');
  if (Buffer.from(key, 'base64').length !== 16) throw badWebSocketRequest('mismatch challenge/response');
  checkOrigin(request);
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  return { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept };
}

/** Programs send no origin, or the host they connect to; on a socket without a host, anything. */
function checkOrigin(request: ApiRequest): void {
  const origin = header(request, 'origin');
  const host = header(request, 'host');
  if (origin === undefined || host === '') return;
  const asked = hostOf(`http://${host ?? ''}`);
  if (hostOf(origin) !== asked) throw foreignOrigin(origin);
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname;
  } catch {
    return undefined;
  }
}
