import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '#base';
import {
  ALL_CAPABILITIES,
  availableCapabilities,
  buildSpec,
  cutRlimits,
  findInit,
  type Runtime,
  readLimitHost,
  resolveCapabilities,
  type SpecInput,
} from '#runtime';
import { eventually } from '../../harness/eventually.ts';
import { collect, host, run, Sandbox, sys } from './harness.ts';

let sandbox: Sandbox;
let runtime: Runtime;
beforeAll(async () => {
  sandbox = new Sandbox();
  runtime = await sandbox.runtime();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  expect(sandbox.leaks()).toEqual([]);
});

const status = async (change: Partial<SpecInput> = {}) => {
  const { stdout } = await run(runtime, sandbox.options(['cat', '/proc/self/status'], change));
  return Object.fromEntries(stdout.split('\n').map((line) => line.split(/:\s*/) as [string, string]));
};

/** Bind mounts that make the host's perl usable in the container: it can make any system call. */
const PERL_MOUNTS = ['/usr', '/lib', '/lib64'].map((path) => ({
  destination: path,
  type: 'bind',
  source: path,
  options: ['rbind', 'ro', 'rprivate'],
}));
// Name, number and first argument on x86_64; what the profile answers.
const CALLS = [
  ['getpid', 39, 0, 0],
  ['keyctl', 250, 0, 1],
  ['userfaultfd', 323, 0, 1],
  ['io_uring_setup', 425, 0, 1],
  ['personality', 135, 0x1234, 1],
  ['socket(AF_ALG)', 41, 38, 1],
  ['clone3', 435, 0, 38],
  ['a call of the future', 1000, 0, 38],
] as const;

describe.if(process.arch === 'x64')('default seccomp profile, real calls', () => {
  const script = CALLS.map(
    ([, nr, arg]) => `$! = 0; syscall(${nr}, ${arg}, 0, 0, 0); print $! + 0, " ";`,
  ).join(' ');
  test.each(['crun', 'runc'])('%s', async (name) => {
    const change = { mounts: PERL_MOUNTS, rootfs: sandbox.rootfs, readonlyRootfs: false };
    const options = sandbox.options(['/usr/bin/perl', '-e', script], change, { runtime: name });
    const { stdout, stderr } = await run(runtime, options);
    expect(stderr).toBe('');
    expect(stdout.trim().split(' ').map(Number)).toEqual(CALLS.map(([, , , errno]) => errno));
  });

  test('exec is filtered as well', async () => {
    const options = sandbox.options(['sleep', '100'], { mounts: PERL_MOUNTS, readonlyRootfs: false });
    const task = await runtime.create(options);
    await task.start();
    const exec = await task.exec(sandbox.execOptions(['/usr/bin/perl', '-e', script]));
    if (!exec.stream) throw new Error('no stream');
    const { stdout } = await collect(exec.stream);
    expect(stdout.trim().split(' ').map(Number)).toEqual(CALLS.map(([, , , errno]) => errno));
    await runtime.delete(options.id);
  });
});

test('the filter goes compiled to crun; a client annotation cannot replace it', async () => {
  const options = sandbox.options(['grep', 'Seccomp:', '/proc/self/status'], {
    annotations: { 'run.oci.seccomp_bpf_data': 'BgAAAAAA/38=', 'run.oci.handler': 'x', 'my.own': 'kept' },
  });
  const task = await runtime.create(options);
  const config = JSON.parse(
    readFileSync(join(sandbox.directory, 'exec/tasks', options.id, 'config.json'), 'utf8'),
  );
  expect(config.linux.seccomp).toBeUndefined();
  expect(Object.keys(config.annotations).toSorted()).toEqual(['my.own', 'run.oci.seccomp_bpf_data']);
  expect(config.annotations['run.oci.seccomp_bpf_data'].length).toBeGreaterThan(5000);
  const output = collect(await task.attach());
  await task.start();
  expect((await output).stdout).toBe('Seccomp:\t2\n');
  await runtime.delete(options.id);
});

test('a runtime that ignores compiled filters gets JSON', async () => {
  await using other = new Sandbox();
  const wrapper = join(other.directory, 'crun-deaf');
  // Takes the annotation away from every bundle, as a runtime that does not know it.
  writeFileSync(
    wrapper,
    `#!/bin/sh\nprev=; for a in "$@"; do [ "$prev" = --bundle ] && sed -i s/run.oci.seccomp_bpf_data/ignored/ "$a/config.json"; prev="$a"; done\nexec /usr/bin/crun "$@"\n`,
    { mode: 0o755 },
  );
  const deaf = await other.runtime({
    addRuntimes: { deaf: { path: wrapper } },
    defaultRuntime: 'deaf',
    logger: silentLogger,
  });
  const { stdout } = await run(deaf, other.options(['grep', 'Seccomp:', '/proc/self/status']));
  expect(stdout).toBe('Seccomp:\t2\n');
});

test('a damaged cache file is made anew', async () => {
  await using other = new Sandbox();
  const options = { cacheRoot: join(other.directory, 'cache') };
  await run(await other.runtime(options), other.options(['true']));
  const cache = join(other.directory, 'cache/seccomp');
  const [file = ''] = readdirSync(cache);
  const intact = readFileSync(join(cache, file));
  writeFileSync(join(cache, file), intact.subarray(0, 100));
  const { exitCode } = await run(await other.runtime(options), other.options(['true']));
  expect(exitCode).toBe(0);
  expect(readFileSync(join(cache, file)).equals(intact)).toBe(true);
});

test('capabilities: the fourteen, nothing inheritable or ambient, no_new_privs as asked', async () => {
  const usual = await status();
  expect(usual).toMatchObject({
    CapEff: '00000000a80425fb',
    CapBnd: '00000000a80425fb',
    NoNewPrivs: '0',
    Seccomp: '2',
  });
  expect(usual).toMatchObject({ CapInh: '0000000000000000', CapAmb: '0000000000000000' });
  const process = {
    ...sandbox.process(['cat', '/proc/self/status']),
    noNewPrivileges: true,
    capabilities: [],
  };
  expect(await status({ process })).toMatchObject({
    CapEff: '0000000000000000',
    NoNewPrivs: '1',
    Seccomp: '2',
  });
});

test('capabilities: a user other than root holds none and may regain the fourteen at most', async () => {
  const process = { ...sandbox.process(['cat', '/proc/self/status']), uid: 1000, gid: 1000 };
  expect(await status({ process })).toMatchObject({
    CapEff: '0000000000000000',
    CapPrm: '0000000000000000',
    CapBnd: '00000000a80425fb',
    Seccomp: '2',
  });
});

test('seccomp unconfined: no filter', async () => {
  expect((await status({ seccomp: { kind: 'unconfined' } }))['Seccomp']).toBe('0');
});

test('privileged: all the daemon has, cut where it has less than everything', async () => {
  const available = availableCapabilities(sys);
  const { value } = resolveCapabilities({ add: [], drop: [], privileged: true, available });
  const process = { ...sandbox.process(['sh', '-c', 'cat /proc/self/status; mount']), capabilities: value };
  const { stdout, exitCode } = await run(
    runtime,
    sandbox.options([], { process, privileged: true, seccomp: { kind: 'unconfined' } }),
  );
  expect(exitCode).toBe(0);
  const bits = available.reduce((mask, name) => mask | (1n << BigInt(ALL_CAPABILITIES.indexOf(name))), 0n);
  expect(stdout).toContain(`CapEff:\t${bits.toString(16).padStart(16, '0')}`);
  expect(stdout).toMatch(/sysfs on \/sys type sysfs \(rw/);
});

test('ulimits beyond what the daemon has are cut so that the container starts', async () => {
  const host = readLimitHost(sys);
  // Who may raise limits may do so up to fs.nr_open.
  const files = host.mayRaise ? 1_000_000 : 10_000_000;
  const asked = [
    { type: 'RLIMIT_NOFILE', soft: files, hard: files },
    { type: 'RLIMIT_CORE', soft: -1, hard: -1 },
  ];
  const { value } = cutRlimits(asked, host);
  const process = { ...sandbox.process(['sh', '-c', 'ulimit -n; ulimit -c']), rlimits: value };
  const { stdout, exitCode } = await run(runtime, sandbox.options([], { process }));
  expect(exitCode).toBe(0);
  const nofile = value.find(({ type }) => type === 'RLIMIT_NOFILE');
  expect(stdout).toBe(`${nofile?.hard}\nunlimited\n`);
});

test('open descriptors of init and exec are 0, 1 and 2 only', async () => {
  const options = sandbox.options(['sleep', '100'], {}, { openStdin: true });
  const task = await runtime.create(options);
  const stream = await task.attach();
  await task.start();
  const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).toSorted();
  // The runtime's own descriptors go with its exec of the user's program.
  const settled = async (pid: number) => {
    await eventually(
      'the program',
      () => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x00100\x00',
    );
    return descriptors(pid);
  };
  expect(await settled(task.pid)).toEqual(['0', '1', '2']);
  for (const change of [{ openStdin: true }, { terminal: true }, { attachOutput: false }]) {
    const exec = await task.exec(sandbox.execOptions(['sleep', '100'], change));
    expect(await settled(exec.pid)).toEqual(['0', '1', '2']);
    await exec.kill(9);
    expect((await exec.exited).exitCode).toBe(137);
  }
  stream.close();
  await runtime.delete(options.id);
});

test('what the container sees: masked and read-only paths, its host name, its own processes only', async () => {
  const script =
    'hostname; cat /proc/kcore | wc -c; echo 1 2>&1 > /proc/sys/kernel/sysrq; touch /x 2>&1; ls /proc | grep -c "^[0-9]"';
  const options = sandbox.options(['sh', '-c', script]);
  const { stdout, stderr } = await run(runtime, options);
  expect(`${stdout}${stderr}`).toContain('Read-only file system');
  expect(stdout.split('\n').slice(0, 2)).toEqual([options.id.slice(0, 12), '0']);
});

test("--init: the init binary is process 1 and the exit code is the child's", async () => {
  const initPath = findInit();
  if (initPath === undefined) throw new Error('no init binary on this machine: install tini');
  const change = { initPath, readonlyRootfs: false };
  const { stdout, exitCode } = await run(
    runtime,
    sandbox.options(['sh', '-c', 'cat /proc/1/cmdline; exit 3'], change),
  );
  expect(stdout.split('\0').slice(0, 2)).toEqual(['/sbin/docker-init', '--']);
  expect(exitCode).toBe(3);
});

test('user, group list and environment are exactly what was asked', async () => {
  const process = {
    ...sandbox.process(['sh', '-c', 'id; echo $A']),
    uid: 1234,
    gid: 5678,
    additionalGids: [7, 9],
    env: ['PATH=/bin', 'A=b c'],
  };
  const { stdout } = await run(runtime, sandbox.options([], { process }));
  expect(stdout).toBe('uid=1234 gid=5678 groups=7,9\nb c\n');
});

test('buildSpec of a container is what the task got, but for the filter', async () => {
  const options = sandbox.options(['true']);
  expect(buildSpec(sandbox.input(options.id, ['true']), host)).toEqual(options.spec);
});
