import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerConfig, HostConfig, LogOptions, OutputChunk } from '#containers';
import { createFakeClient, createRequestFixture } from '#containers/testing';
import { eventually } from '../../harness/eventually.ts';
import { ownName } from '../../harness/test-run.ts';
import { createMachine, type Machine, type RealEngine } from './engine.ts';

let machine: Machine;
let engine: RealEngine;
beforeAll(async () => {
  machine = createMachine();
  engine = await machine.open();
}, 60_000);
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
}, 60_000);

interface Given {
  readonly config?: Partial<ContainerConfig>;
  readonly hostConfig?: Partial<HostConfig>;
}
const sh = (script: string, config: Partial<ContainerConfig> = {}): Partial<ContainerConfig> => ({
  ...config,
  cmd: ['sh', '-c', script],
});
const create = async ({ config, hostConfig }: Given) =>
  (
    await engine.containers.create(
      createRequestFixture({ ...(config ? { config } : {}), ...(hostConfig ? { hostConfig } : {}) }),
    )
  ).id;
const ATTACH = {
  stdin: true,
  stdout: true,
  stderr: true,
  logs: false,
  stream: true,
  detachKeys: '',
} as const;

/** `docker run`: create, attach, wait, start. */
async function run(given: Given): Promise<{ id: string; output: string; exitCode: number }> {
  const id = await create(given);
  const client = createFakeClient();
  const attached = engine.containers.attach(id, { ...ATTACH, stdin: false }).run(client);
  const condition = given.hostConfig?.autoRemove ? 'removed' : 'next-exit';
  const { exit } = engine.containers.wait(id, condition);
  await engine.containers.start(id);
  const { exitCode } = await exit;
  await attached;
  return { id, output: client.output, exitCode };
}
const LOG = { stdout: true, stderr: true, follow: false, timestamps: false, details: false } as const;
const logs = async (id: string, options: Partial<LogOptions> = {}) => {
  const chunks: OutputChunk[] = (
    await Array.fromAsync(engine.containers.logs(id, { ...LOG, ...options }))
  ).flat();
  return Buffer.concat(chunks.map(({ data }) => data)).toString();
};

test('run: output, exit code, log and clean removal', async () => {
  const { id, output, exitCode } = await run({ config: sh('echo hi; echo err >&2; exit 3') });
  expect(output).toContain('hi\n');
  expect(output).toContain('err\n');
  expect(exitCode).toBe(3);
  expect(await logs(id, { stderr: false })).toBe('hi\n');
  expect(await logs(id, { stdout: false, timestamps: true })).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z err\n$/,
  );
  await engine.containers.remove(id);
  expect(existsSync(join(machine.dataRoot, 'containers', id))).toBe(false);
});

test('run --rm on the default bridge: names, address, everything gone', async () => {
  const { id, output, exitCode } = await run({
    config: sh('hostname; cat /etc/hosts; ip -o -4 addr show dev eth0; cat /proc/self/status'),
    hostConfig: { autoRemove: true, networkMode: 'default' },
  });
  expect(exitCode).toBe(0);
  expect(output).toStartWith(`${id.slice(0, 12)}\n`);
  const address = /inet ([\d.]+)\//.exec(output)?.[1];
  expect(output).toContain(`${address}\t${id.slice(0, 12)}\n`);
  expect(output).toMatch(/CapInh:\s+0000000000000000/);
  expect(output).toMatch(/CapEff:\s+00000000a80425fb/);
  expect(output).toMatch(/Seccomp:\s+2/);
  expect(engine.snapshotter.snapshots()).not.toContain(id);
}, 20_000);

test('start: command errors have docker’s codes and texts', async () => {
  const missing = await create({ config: { cmd: ['nope'] } });
  await expect(engine.containers.start(missing)).rejects.toThrow(
    'exec: "nope": executable file not found in $PATH',
  );
  expect(engine.containers.get(missing).state).toMatchObject({ status: 'created', exitCode: 127 });
  const notExecutable = await create({ config: { cmd: ['/etc/passwd'] } });
  await expect(engine.containers.start(notExecutable)).rejects.toThrow('permission denied');
  expect(engine.containers.get(notExecutable).state).toMatchObject({ exitCode: 126 });
  expect(engine.snapshotter.isMounted(missing)).toBe(false);
});

test('user, groups, environment, working directory', async () => {
  const { output } = await run({
    config: sh('id -u; id -g; id -G; pwd; env | sort', {
      user: '1000:5',
      env: ['A=b'],
      workingDir: '/made/up',
    }),
    hostConfig: { groupAdd: ['7'] },
  });
  const [uid, gid, groups, cwd, ...env] = output.trim().split('\n');
  expect([uid, gid, groups, cwd]).toEqual(['1000', '5', '5 7', '/made/up']);
  expect(env).toEqual(expect.arrayContaining(['A=b', 'HOME=/']));
});

test('mounts: bind, read-only bind, named volume with copy-up, tmpfs, anonymous volume', async () => {
  const source = mkdtempSync(`/var/tmp/${ownName('ct-bind-')}`);
  writeFileSync(join(source, 'file'), 'from the host\n');
  const script = `cat /bind/file; echo changed > /bind/out; touch /ro/x 2>&1; ls /vol; mount | grep ' /tmp/t ';
    stat -c %a /tmp/t; touch /anon/y && echo anon; df /vol >/dev/null`;
  const { id, output, exitCode } = await run({
    config: sh(script, { volumes: ['/anon'] }),
    hostConfig: {
      binds: [`${source}:/bind`, `${source}:/ro:ro`, 'ctdata:/vol', 'ctbin:/bin2', `${source}/new/dir:/made`],
      tmpfs: { '/tmp/t': 'size=1m,mode=1770' },
    },
  });
  expect(output).toContain('from the host\n');
  expect(output).toContain('Read-only file system');
  expect(output).toMatch(/tmpfs on \/tmp\/t type tmpfs \(.*nosuid.*size=1024k,mode=1770/);
  expect(output).toContain('1770\nanon\n');
  expect(exitCode).toBe(0);
  expect(readFileSync(join(source, 'out'), 'utf8')).toBe('changed\n');
  expect(existsSync(join(source, 'new/dir'))).toBe(true);
  await engine.containers.remove(id, { volumes: true });
  expect(engine.volumes.list().map(({ name }) => name)).toEqual(['ctbin', 'ctdata']);
  rmSync(source, { recursive: true });
});

test('volumes: an image’s directory fills a new volume, with its attributes', async () => {
  const { output } = await run({
    config: sh('ls -l /etc/passwd; cat /etc/passwd'),
    hostConfig: { binds: ['ctetc:/etc'] },
  });
  const plain = await run({ config: sh('ls -l /etc/passwd; cat /etc/passwd') });
  expect(output).toBe(plain.output);
});

test('limits arrive in the container’s cgroup', async () => {
  const { output } = await run({
    config: sh(
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; ulimit -n',
    ),
    hostConfig: {
      memory: 32 * 1024 * 1024,
      nanoCpus: 5e8,
      pidsLimit: 20,
      ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
    },
  });
  expect(output).toBe('33554432\n100\n');
});

test('stdin: bytes, half close, and the answer after it', async () => {
  const id = await create({
    config: { cmd: ['wc', '-c'], openStdin: true, stdinOnce: true, attachStdin: true },
  });
  const client = createFakeClient();
  const done = engine.containers.attach(id, ATTACH).run(client);
  await engine.containers.start(id);
  client.type('x'.repeat(300_000));
  client.endInput();
  await done;
  expect(client.output.trim()).toBe('300000');
});

test('terminal: size, input, detach', async () => {
  const id = await create({ config: { cmd: ['sh'], tty: true, openStdin: true } });
  const client = createFakeClient();
  const done = engine.containers.attach(id, ATTACH).run(client);
  await engine.containers.start(id);
  await engine.containers.resize(id, { rows: 33, columns: 99 });
  client.type('stty size\n');
  await eventually('the size', () => client.output.includes('33 99'));
  client.type('\x10\x11');
  await done;
  expect(engine.containers.get(id).state.status).toBe('running');
  await engine.containers.kill(id);
});

test('exec: output, user, exit code; top shows the processes', async () => {
  const id = await create({ config: { cmd: ['sleep', '1000'] } });
  await engine.containers.start(id);
  const exec = {
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    tty: false,
    detachKeys: '',
    env: ['X=1'],
    cmd: ['sh', '-c', 'echo $X $(id -u); exit 5'],
    privileged: false,
    user: '77',
    workingDir: '',
  };
  const { id: execId } = engine.containers.createExec(id, exec);
  const client = createFakeClient();
  await engine.containers.startExec(execId, { detach: false }).run(client);
  expect(client.output).toBe('1 77\n');
  expect(engine.containers.exec(execId)).toMatchObject({ exitCode: 5, running: false });
  const missing = engine.containers.createExec(id, { ...exec, cmd: ['nope'] });
  await expect(
    engine.containers.startExec(missing.id, { detach: false }).run(createFakeClient()),
  ).rejects.toThrow('executable file not found in $PATH');
  const { titles, processes } = await engine.containers.top(id);
  expect(titles).toContain('PID');
  expect(processes.map((row) => row.at(-1))).toEqual(['sleep 1000']);
  await engine.containers.stop(id, { timeoutS: 0 });
});

test('logs: follow ends with the process; rotation loses nothing', async () => {
  const script =
    'i=0; while [ $i -lt 3000 ]; do echo "line $i ----------------------------"; i=$((i+1)); done; sleep 0.3; echo end';
  const id = await create({
    config: sh(script),
    hostConfig: { logConfig: { type: 'json-file', config: { 'max-size': '20k', 'max-file': '100' } } },
  });
  await engine.containers.start(id);
  const output = await logs(id, { follow: true });
  const lines = output.trim().split('\n');
  expect(lines.length).toBe(3001);
  expect(lines[2999]).toStartWith('line 2999 ');
  expect(await logs(id, { tail: 2 })).toBe(`${lines[2999]}\nend\n`);
  expect(await logs(id)).toBe(output);
});

test('pause, unpause, update, stop with the configured signal', async () => {
  const id = await create({
    config: sh('trap "exit 9" INT; echo ready; while :; do sleep 0.1; done', { stopSignal: 'INT' }),
  });
  await engine.containers.start(id);
  await eventually('its trap', async () => (await logs(id)) === 'ready\n');
  await engine.containers.pause(id);
  await engine.containers.unpause(id);
  await engine.containers.update(id, { resources: { memory: 64 << 20, memorySwap: -1 } });
  await engine.containers.stop(id);
  expect(engine.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 9 });
});

test('diff and export show the user’s changes only', async () => {
  const { id } = await run({ config: sh('echo new > /etc/own; rm /bin/yes; mkdir /d') });
  expect(await engine.containers.changes(id)).toEqual(
    expect.arrayContaining([
      { path: '/d', kind: 'added' },
      { path: '/etc/own', kind: 'added' },
      { path: '/bin/yes', kind: 'deleted' },
    ]),
  );
  expect((await engine.containers.changes(id)).map(({ path }) => path)).not.toContain('/etc/hosts');
  const tar = Bun.spawn(['tar', '-tf', '-'], { stdin: 'pipe', stdout: 'pipe' });
  for await (const chunk of await engine.containers.export(id)) tar.stdin.write(chunk as Uint8Array);
  await tar.stdin.end();
  const names = (await new Response(tar.stdout).text()).split('\n');
  expect(names).toEqual(expect.arrayContaining(['d/', 'etc/own', 'bin/busybox']));
  expect(names).not.toContain('bin/yes');
  expect(engine.snapshotter.isMounted(id)).toBe(false);
});

test('namespaces: pid of another container, shared ipc, host uts', async () => {
  const donor = await create({ config: { cmd: ['sleep', '1000'] }, hostConfig: { ipcMode: 'shareable' } });
  await engine.containers.start(donor);
  const { output } = await run({
    config: sh('ps | grep -c "sleep 1000"; touch /dev/shm/mark'),
    hostConfig: { pidMode: `container:${donor}`, ipcMode: `container:${donor}` },
  });
  expect(Number(output)).toBeGreaterThan(0);
  const seen = await run({ config: sh('ls /dev/shm'), hostConfig: { ipcMode: `container:${donor}` } });
  expect(seen.output).toBe('mark\n');
  await engine.containers.remove(donor, { force: true });
});

test('privileged and ulimits beyond the daemon’s are cut with a warning, not refused', async () => {
  const request = createRequestFixture({
    config: { cmd: ['true'] },
    hostConfig: { privileged: true, ulimits: [{ name: 'nofile', soft: 2 ** 30, hard: 2 ** 30 }] },
  });
  const { id } = await engine.containers.create(request);
  const { exit } = engine.containers.wait(id, 'next-exit');
  await engine.containers.start(id);
  expect(await exit).toEqual({ exitCode: 0 });
});
