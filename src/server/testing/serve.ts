import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { type ApiServer, createServer } from '../http/server.ts';
import { listen } from '../listen/listen.ts';
import type { Backends } from '../router/index.ts';

export interface TestServer extends AsyncDisposable {
  readonly path: string;
  readonly api: ApiServer;
  /** Sends bytes as they are and answers what comes back until `until` is in it or the server closes. */
  exchange(request: string, until?: string | RegExp): Promise<string>;
  connect(): Promise<Conversation>;
}

/** The API of fake backends on a Unix socket in a folder of its own. */
export async function serveFakes(backends: Backends): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-server-'));
  const path = join(folder, 'api.sock');
  const api = createServer({ backends, logger: silentLogger, version: 'test' });
  const listeners = await listen(api, { kind: 'unix', path }, { group: '' });
  return {
    path,
    api,
    connect: () => openConversation(path),
    async exchange(request, until) {
      const conversation = await openConversation(path);
      conversation.send(request);
      const answer = await conversation.read(until);
      conversation.close();
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(listeners.map((listener) => listener.close()));
      await api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A raw connection, read as latin1 text. */
export interface Conversation {
  readonly socket: Socket;
  send(text: string | Uint8Array): void;
  halfClose(): void;
  close(): void;
  /** Everything received so far, once `until` is in it; without `until`, once the server has closed. */
  read(until?: string | RegExp): Promise<string>;
}

function openConversation(path: string): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    let received = '';
    let ended = false;
    let wake = () => {};
    const finish = () => {
      ended = true;
      wake();
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      wake();
    });
    socket.on('end', finish).on('close', finish).on('error', reject);
    const has = (until: string | RegExp | undefined): boolean =>
      until !== undefined && (typeof until === 'string' ? received.includes(until) : until.test(received));
    socket.once('connect', () =>
      resolve({
        socket,
        send: (text) => void socket.write(text),
        halfClose: () => void socket.end(),
        close: () => void socket.destroy(),
        async read(until) {
          while (!ended && !has(until)) await new Promise<void>((next) => (wake = next));
          return received;
        },
      }),
    );
  });
}
