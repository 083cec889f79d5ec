import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ContainerConfig, CreateRequest, HostConfig } from '#containers';
import { createFakeClient, createRequestFixture } from '#containers/testing';
import { eventually } from '../../harness/eventually.ts';
import { createMachine, type Machine, type RealEngine } from './engine.ts';

let machine: Machine;
beforeAll(async () => {
  machine = createMachine();
  await (await machine.open()).abandon();
}, 60_000);
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
}, 60_000);

const request = (
  cmd: string[],
  hostConfig: Partial<HostConfig> = {},
  config: Partial<ContainerConfig> = {},
) => createRequestFixture({ config: { cmd, ...config }, hostConfig });

/** An engine in another process. `lines` are the IDs it prints: once when created, once when started. */
async function startVictim() {
  const { name, dataRoot, execRoot } = machine;
  const victim = Bun.spawn(
    [process.execPath, `${import.meta.dir}/victim.ts`, JSON.stringify({ name, dataRoot, execRoot })],
    { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' },
  );
  const lines = createInterface({ input: Readable.fromWeb(victim.stdout as never) })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  expect(await next()).toBe('ready');
  return {
    next,
    send: (create: CreateRequest) => {
      victim.stdin.write(`${JSON.stringify(create)}\n`);
      void victim.stdin.flush();
    },
    async kill() {
      victim.kill('SIGKILL');
      await victim.exited;
    },
  };
}

const ATTACH = { stdin: true, stdout: true, stderr: true, logs: false, stream: true, detachKeys: '' };

async function exited(engine: RealEngine, id: string): Promise<number> {
  return (await engine.containers.wait(id, 'not-running').exit).exitCode;
}

test('kill -9 while containers run: the successor adopts them; logs, exec, attach, stop, exit codes', async () => {
  const victim = await startVictim();
  const started: string[] = [];
  for (const create of [
    request(['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done'], {
      networkMode: 'default',
    }),
    request(['sh', '-c', 'sleep 0.5; exit 42']),
    request(['cat'], {}, { openStdin: true, stdinOnce: true }),
    request(['sh', '-c', 'sleep 0.3'], { autoRemove: true }),
  ]) {
    victim.send(create);
    await victim.next();
    started.push(await victim.next());
  }
  await victim.kill();
  await using engine = await openEngine();
  const [loop = '', ending = '', cat = '', removed = ''] = started;
  const { containers } = engine;
  expect(containers.get(loop).state.status).toBe('running');
  expect(containers.get(loop).sandbox?.endpoints[0]?.ipv4Address).toMatch(/^\d/);
  expect(await exited(engine, ending)).toBe(42);

  const client = createFakeClient();
  const attached = containers.attach(cat, ATTACH).run(client);
  client.type('still there?\n');
  client.endInput();
  await attached;
  expect(client.output).toBe('still there?\n');
  expect(await exited(engine, cat)).toBe(0);

  const { id: execId } = containers.createExec(loop, {
    ...ATTACH,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    tty: false,
    env: [],
    cmd: ['sh', '-c', 'exit 6'],
    privileged: false,
    user: '',
    workingDir: '',
  });
  await containers.startExec(execId, { detach: false }).run(createFakeClient());
  expect(containers.exec(execId).exitCode).toBe(6);
  await containers.stop(loop, { timeoutS: 0 });
  const log = await Array.fromAsync(
    containers.logs(loop, { stdout: true, stderr: true, follow: false, timestamps: false, details: false }),
  );
  const numbers = Buffer.concat(log.flat().map(({ data }) => data))
    .toString()
    .trim()
    .split('\n')
    .map(Number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  await eventually('its removal', () => !containers.list({ all: true }).some(({ id }) => id === removed));
}, 60_000);

test('kill -9 at any moment of a start: nothing half-made is left, the next start works', async () => {
  for (let delayMs = 0; delayMs < 60; delayMs += 6) {
    const victim = await startVictim();
    victim.send(request(['sleep', '1000'], { networkMode: 'default' }));
    const id = await victim.next();
    await Bun.sleep(delayMs);
    await victim.kill();
    await using engine = await openEngine();
    const { status } = engine.containers.get(id).state;
    expect(['created', 'running']).toContain(status);
    const isLeft = engine.runtime.leftovers().includes(id);
    expect(isLeft).toBe(status === 'running');
    expect(engine.snapshotter.isMounted(id)).toBe(status === 'running');
    if (status === 'created') await engine.containers.start(id);
    await engine.containers.remove(id, { force: true });
    expect(engine.runtime.leftovers()).not.toContain(id);
  }
}, 120_000);

async function openEngine(): Promise<RealEngine & AsyncDisposable> {
  const engine = await machine.open();
  return Object.assign(engine, { [Symbol.asyncDispose]: () => engine.abandon() });
}
