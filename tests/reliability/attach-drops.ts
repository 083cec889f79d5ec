import { connect, type Socket } from 'node:net';
import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, must } from '../harness/programs.ts';
import { callJson, socketPath } from './api.ts';
import { type Footprint, footprintOf } from './figures.ts';

export interface AttachDropsReport {
  readonly attached: number;
  /** After a first tenth of the drops, when caches are warm. */
  readonly before: Footprint;
  readonly after: Footprint;
}

/** Clients that drop their connection at different moments of an attach or exec. */
const MOMENTS = ['at once', 'after the request', 'after the answer', 'with input'] as const;
const EXEC_EVERY = 20;
/** Long enough for the long form to send far more than a process without interest in it can be given. */
const INPUT = 'input\n'.repeat(200);

/** Each kind of connection sees each moment. */
function momentOf(turn: number): (typeof MOMENTS)[number] {
  return MOMENTS[(turn + Math.floor(turn / EXEC_EVERY)) % MOMENTS.length] ?? 'at once';
}

/**
 * Attaches `count` times to a running container and drops the connection, at another moment each time, and every
 * {@link EXEC_EVERY}th time to an exec. Nothing of that may stay in the daemon. S17 (CVE-2025-64329).
 */
export async function dropAttaches(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly count: number;
  readonly parallel: number;
  /** How long the daemon may take to be idle and collect its garbage before memory counts. Default 0. */
  readonly collectMs?: number;
  readonly onProgress?: (done: number) => void;
}): Promise<AttachDropsReport> {
  const { daemon, client, count } = options;
  const { host } = daemon;
  const script = 'while :; do echo tick; sleep 0.05; done';
  const id = await must(client, ['run', '-d', '-i', 'busybox', 'sh', '-c', script], { host });
  let next = 0;
  const drop = async (until: number): Promise<void> => {
    while (next < until) {
      const turn = next++;
      const path = turn % EXEC_EVERY === 0 ? await execPath(host, id) : attachPath(id);
      await dropOne(host, path, momentOf(turn));
      options.onProgress?.(turn + 1);
    }
  };
  const dropUntil = async (until: number): Promise<Footprint> => {
    await Promise.all(Array.from({ length: options.parallel }, () => drop(until)));
    return await lowest(daemon.pid, options.collectMs ?? 0, await settled(daemon.pid));
  };
  const before = await dropUntil(Math.ceil(count / 10));
  const after = await dropUntil(count);
  await must(client, ['rm', '-f', id], { host });
  return { attached: count, before, after };
}

/**
 * `count` clients, one by one and `parallel` at a time, send input to a container that reads none, and go. What cannot
 * be given to the process may wait for it, but not with everything that belonged to the client.
 * @returns the daemon's footprints when the first fifth has filled everything that takes input, and at the end.
 */
export async function dropUnreadInput(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly count: number;
  readonly parallel: number;
}): Promise<{ readonly before: Footprint; readonly after: Footprint }> {
  const { daemon, client, count } = options;
  const { host } = daemon;
  const id = await must(client, ['run', '-d', '-i', 'busybox', 'sleep', '100000'], { host });
  const path = `/v1.41/containers/${id}/attach?stream=1&stdin=1`;
  const input = INPUT.repeat(8);
  let next = 0;
  const drop = async (until: number): Promise<void> => {
    while (next++ < until) await dropOne(host, path, 'with input', input);
  };
  const dropUntil = async (until: number): Promise<Footprint> => {
    next = 0;
    await Promise.all(Array.from({ length: options.parallel }, () => drop(until)));
    return await settled(daemon.pid);
  };
  const before = await dropUntil(Math.ceil(count / 5));
  const after = await dropUntil(count - Math.ceil(count / 5));
  await must(client, ['rm', '-f', id], { host });
  return { before, after };
}

/**
 * Attaches `count` clients to a container that says nothing, some of which close only one direction first, as clients
 * without input do, and drops them all: their descriptors have to come back without any output.
 * @returns the daemon's footprints before, while all are attached, and after.
 */
export async function dropSilentAttaches(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly count: number;
}): Promise<{ readonly before: Footprint; readonly attached: Footprint; readonly after: Footprint }> {
  const { daemon, client, count } = options;
  const { host } = daemon;
  const id = await must(client, ['run', '-d', '-i', 'busybox', 'sleep', '100000'], { host });
  // The first one connects the daemon with the monitor for all.
  await attachSilently(host, id, 0).then((socket) => socket.destroy());
  const before = await settled(daemon.pid);
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, turn) => attachSilently(host, id, turn)),
  );
  const attached = await settled(daemon.pid);
  for (const socket of sockets) socket.destroy();
  const after = await eventually('the descriptors of the dropped clients to come back', async () => {
    const now = footprintOf(daemon.pid);
    if (now.files <= before.files + 2) return now;
    throw new Error(`${before.files} before, ${now.files} now`);
  });
  await must(client, ['rm', '-f', id], { host });
  return { before, attached, after };
}

/** Every second one has no input, and every other one of these closes its direction at once. */
async function attachSilently(host: string, id: string, turn: number): Promise<Socket> {
  const stdin = turn % 2 === 0 ? '&stdin=1' : '';
  const path = `/v1.41/containers/${id}/attach?stream=1&stdout=1&stderr=1${stdin}`;
  const socket = connect({ path: socketPath(host), allowHalfOpen: true });
  socket.on('error', () => {});
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  socket.once('data', () => resolve());
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n`);
  await answered;
  if (turn % 4 === 1) socket.end();
  return socket;
}

const attachPath = (id: string): string =>
  `/v1.41/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1&logs=1`;

async function execPath(host: string, id: string): Promise<string> {
  const { Id } = await callJson<{ Id: string }>(host, 'POST', `/containers/${id}/exec`, {
    body: { Cmd: ['true'], AttachStdin: true, AttachStdout: true },
  });
  return `/v1.41/exec/${Id}/start`;
}

/** The footprint with the least memory, from `first` on for `forMs`. */
async function lowest(pid: number, forMs: number, first: Footprint): Promise<Footprint> {
  let best = first;
  for (const end = performance.now() + forMs; performance.now() < end; await Bun.sleep(500)) {
    const now = footprintOf(pid);
    if (now.rssMb < best.rssMb) best = now;
  }
  return best;
}

/** The footprint once three looks in a row show the same descriptors and processes. */
async function settled(pid: number): Promise<Footprint> {
  let last = footprintOf(pid);
  let same = 0;
  return await eventually('the daemon to settle', async () => {
    await Bun.sleep(200);
    const now = footprintOf(pid);
    same = now.files === last.files && now.processes === last.processes ? same + 1 : 0;
    last = now;
    return same >= 3 ? now : undefined;
  });
}

function dropOne(host: string, path: string, moment: (typeof MOMENTS)[number], input = INPUT): Promise<void> {
  const body = path.includes('/exec/') ? '{"Detach":false,"Tty":false}' : '';
  const request =
    `POST ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath(host) });
    socket.on('error', () => {});
    socket.once('close', () => resolve());
    socket.once('connect', () => {
      if (moment === 'at once') socket.destroy();
      else socket.write(request, () => moment === 'after the request' && socket.destroy());
    });
    socket.once('data', () => {
      if (moment === 'with input') socket.write(input, () => socket.destroy());
      else socket.destroy();
    });
  });
}
