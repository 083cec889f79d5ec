import type { IncomingMessage, ServerResponse } from 'node:http';
import { canceled } from '#base';
import type { ApiRequest } from './request.ts';

/** An {@link ApiRequest} on a message of node:http. The signal is made only when somebody asks for it. */
export function nodeRequest(message: IncomingMessage, response: ServerResponse): ApiRequest {
  const url = message.url ?? '/';
  const at = url.indexOf('?');
  let signal: AbortSignal | undefined;
  return {
    method: message.method ?? 'GET',
    path: at < 0 ? url : url.slice(0, at),
    search: at < 0 ? '' : url.slice(at + 1),
    headers: message.headers,
    get body() {
      return messageBody(message);
    },
    get signal() {
      signal ??= closeSignal(response);
      return signal;
    },
  };
}

function closeSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/**
 * Stopping early must not destroy the connection: the answer is still to be sent.
 * @throws `canceled` when the client ends before its body does.
 */
async function* messageBody(message: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of message.iterator({ destroyOnReturn: false })) yield chunk;
  } catch (cause) {
    throw canceled('the client ended in the middle of its request', { cause });
  }
}
