import { describe, expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { givenHost, startDaemon, type TestDaemon } from '../../harness/daemon.ts';
import { clientEnvironment, gantryClient as gantry, must, run } from '../../harness/programs.ts';
import { call } from '../../reliability/api.ts';
import { descendantsOf } from '../../reliability/figures.ts';

/** Starts a daemon whose parent set `umask`. */
async function startUnder(umask: number): Promise<TestDaemon> {
  const before = process.umask(umask);
  try {
    return await startDaemon();
  } finally {
    process.umask(before);
  }
}

/** What belongs to containers and users, not to the engine: the modes there are theirs. */
const FOREIGN = /\/(fs|upper|merged|rootfs|_data|diff|shm)$/;

function* walk(path: string): Generator<string> {
  if (FOREIGN.test(path)) return;
  yield path;
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) yield* walk(join(path, name));
}

const describeMode = (path: string): string => `${(lstatSync(path).mode & 0o7777).toString(8)} ${path}`;

describe.skipIf(givenHost() !== undefined)('S16: state is closed to other users', () => {
  test('under umask 000 no path of the engine can be written or entered by others', async () => {
    await using daemon = await startUnder(0o000);
    const { host } = daemon;
    await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    const flags = ['-v', 'vol:/data', '-p', '0:80', '--ipc', 'shareable', '-e', 'SECRET=1'];
    await must(gantry, ['run', '-d', '--name', 'busy', ...flags, 'busybox', 'sleep', '1000'], { host });
    await must(gantry, ['exec', '-d', 'busy', 'sleep', '1001'], { host });
    await must(gantry, ['run', '--name', 'ended', 'busybox', 'echo', 'logged'], { host });
    const env = clientEnvironment({ host });
    await Bun.$`${gantry.path} save busybox | ${gantry.path} load`.env(env).quiet();

    const paths = [daemon.dataRoot, daemon.execRoot].flatMap((root) => [...walk(root)]);
    expect(paths.length).toBeGreaterThan(40);
    const isOpen = (path: string) =>
      !lstatSync(path).isSymbolicLink() && (lstatSync(path).mode & 0o022) !== 0;
    expect(paths.filter(isOpen).map(describeMode)).toEqual([]);
    for (const root of [daemon.dataRoot, daemon.execRoot]) {
      expect(lstatSync(root).mode & 0o007).toBe(0);
      const asNobody = Bun.spawnSync([
        ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'find', root, '-mindepth', '1'],
      ]);
      expect(asNobody.stdout.toString()).toBe('');
      expect(asNobody.stderr.toString()).toContain('Permission denied');
    }
    // One line of defence more: what holds secrets is closed by itself.
    const secret = paths.filter((path) => /(metadata\.db|config\.json|process\.json|-json\.log)/.test(path));
    expect(secret.length).toBeGreaterThan(3);
    expect(secret.filter((path) => (lstatSync(path).mode & 0o077) !== 0).map(describeMode)).toEqual([]);
    const inContainer = await must(gantry, ['exec', 'busy', 'sh', '-c', 'umask; stat -c %a /etc/hosts'], {
      host,
    });
    expect(inContainer).toBe('0022\n644');
  });
});

describe.skipIf(givenHost() !== undefined)('S18: secrets stay where they were put', () => {
  test('a canary in environment, authentication and bodies is in no log, event or command line', async () => {
    await using daemon = await startDaemon({ flags: ['--debug'] });
    const { host } = daemon;
    await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    const canary = `canary${randomUUID().replaceAll('-', '')}`;
    const env = ['-e', `PASSWORD=${canary}`];
    await must(gantry, ['run', '-d', '--name', 'holder', ...env, 'busybox', 'sleep', '1000'], { host });
    await must(gantry, ['exec', ...env, 'holder', 'true'], { host });
    const execs = run(gantry, ['exec', ...env, 'holder', 'sleep', '2'], { host });
    await run(gantry, ['run', '--rm', ...env, 'busybox', 'no-such-command'], { host });
    await run(gantry, ['run', '--rm', ...env, '--network', 'no-such-network', 'busybox'], { host });
    const auth = Buffer.from(JSON.stringify({ username: 'me', password: canary })).toString('base64url');
    const headers = { 'X-Registry-Auth': auth, 'X-Registry-Config': auth, Authorization: `Bearer ${canary}` };
    await call(host, 'POST', '/images/create?fromImage=127.0.0.1:1/none&tag=x', { headers });
    await call(host, 'POST', '/images/busybox/push', { headers });
    await call(host, 'POST', '/auth', { body: { username: 'me', password: canary } });
    await call(host, 'POST', '/containers/create', {
      body: { Env: [`P=${canary}`], Image: { not: 'text' } },
    });
    await call(host, 'POST', '/containers/create', {
      raw: `{"Env":["P=${canary}"`,
      headers: { 'Content-Type': 'application/json' },
    });
    await call(host, 'GET', '/no-such-route', { headers });
    const commandLines = descendantsOf(daemon.pid).map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
    expect(commandLines.some((line) => line.includes('conmon'))).toBe(true);
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const events = await call(host, 'GET', `/events?since=1&until=${until}`);
    const info = await call(host, 'GET', '/info');
    const encoded = Buffer.from(canary).toString('base64').slice(2, 40);
    const places = {
      log: daemon.log(),
      events: events.text,
      info: info.text,
      commands: commandLines.join('\n'),
    };
    for (const [place, text] of Object.entries(places)) {
      expect([place, text.includes(canary), text.includes(encoded), text.includes(auth)]).toEqual([
        place,
        false,
        false,
        false,
      ]);
    }
    // The log does tell of these requests: otherwise this test would prove nothing.
    expect(daemon.log().length).toBeGreaterThan(500);
    await execs;
    await daemon.crash();
    expect(daemon.log().includes(canary)).toBe(false);
  });
});
