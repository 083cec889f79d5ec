import { beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, gantryClient } from '../../harness/programs.ts';
import { openTerminal } from '../../harness/terminal.ts';
import { countProcesses, createExec, exitOf, inspectExec, spawnClient } from './api.ts';

const engine = useEngine();
const plain = uniqueName('exec-plain');
const labelled = uniqueName('exec-labelled');

beforeAll(async () => {
  for (const args of [[plain], [labelled, '--label', 'gantry.exec.kill-on-disconnect=true']]) {
    await engine.must(gantryClient, ['run', '-d', '--name', ...args, 'busybox', 'sleep', '100000']);
    engine.defer(() => engine.must(gantryClient, ['rm', '-f', args[0] ?? '']));
  }
}, 60_000);

let next = 8000;
/** A command with two children, whose command line nothing else has. */
function family(): { readonly child: string; readonly cmd: string[] } {
  next += 1;
  const child = `sleep ${next}`;
  return { child, cmd: ['sh', '-c', `${child} & ${child} & wait`] };
}

async function counts(container: string, child: string, count: number): Promise<void> {
  await eventually(`${count} of ${child}`, async () => {
    const running = await countProcesses(engine.host, container, child);
    return running === count || Promise.reject(new Error(`${running}`));
  });
}

/**
 * After a client's end: an exec that ends with its client is given up later, and is gone. So the daemon has noticed the
 * first client's end as well, and what it has not ended by now it spares.
 */
async function expectSpared(container: string, child: string): Promise<void> {
  const later = family();
  const args = ['exec', '--kill-on-disconnect', container, ...later.cmd];
  const client = spawnClient(gantryClient, args, engine);
  await counts(container, later.child, 2);
  client.kill('SIGKILL');
  await counts(container, later.child, 0);
  expect(await countProcesses(engine.host, container, child)).toBe(2);
}

describe.skipIf(givenHost() !== undefined)('clients that go away', () => {
  test.each([
    ['without input', []],
    ['with input', ['-i']],
  ])('--kill-on-disconnect %s: the command and its children end with the client', async (_, flags) => {
    const { child, cmd } = family();
    const client = spawnClient(
      gantryClient,
      ['exec', '--kill-on-disconnect', ...flags, plain, ...cmd],
      engine,
    );
    await counts(plain, child, 2);
    client.kill('SIGKILL');
    await counts(plain, child, 0);
  });

  test('--kill-on-disconnect after the end of input', async () => {
    const { child, cmd } = family();
    const client = spawnClient(gantryClient, ['exec', '--kill-on-disconnect', '-i', plain, ...cmd], engine);
    client.stdin.end();
    await counts(plain, child, 2);
    client.kill('SIGKILL');
    await counts(plain, child, 0);
  });

  test('--kill-on-disconnect with a terminal: a lost one kills, the detach keys do not', async () => {
    const lost = family();
    using first = openTerminal(
      gantryClient,
      ['exec', '--kill-on-disconnect', '-it', plain, ...lost.cmd],
      engine.host,
    );
    await counts(plain, lost.child, 2);
    first[Symbol.dispose]();
    await counts(plain, lost.child, 0);
    const { child, cmd } = family();
    using second = openTerminal(
      gantryClient,
      ['exec', '--kill-on-disconnect', '-it', plain, ...cmd],
      engine.host,
    );
    await counts(plain, child, 2);
    const since = String(Date.now() / 1000 - 1);
    second.type('\x10\x11');
    expect(await second.exited).toBe(1);
    await eventually('the detaching', async () => {
      const until = String(Date.now() / 1000);
      const flags = ['--since', since, '--until', until, '--format', '{{.Action}}'];
      return (await engine.must(gantryClient, ['events', ...flags])).split('\n').includes('exec_detach');
    });
    expect(await countProcesses(engine.host, plain, child)).toBe(2);
  });

  test('--kill-on-disconnect of a command that ends by itself changes nothing', async () => {
    const args = ['exec', '--kill-on-disconnect', plain, 'sh', '-c', 'echo out; exit 3'];
    expect(await engine.run(gantryClient, args)).toEqual({ code: 3, stdout: 'out\n', stderr: '' });
    const refused = await engine.run(gantryClient, ['exec', '-d', ...args.slice(1)]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('cannot specify both --detach and --kill-on-disconnect');
  });

  test.each(allClients())(
    '$name: the container’s label decides for clients without the flag',
    async (client) => {
      const killed = family();
      const first = spawnClient(client, ['exec', labelled, ...killed.cmd], engine);
      await counts(labelled, killed.child, 2);
      first.kill('SIGKILL');
      await counts(labelled, killed.child, 0);
      const spared = family();
      const second = spawnClient(client, ['exec', plain, ...spared.cmd], engine);
      await counts(plain, spared.child, 2);
      second.kill('SIGKILL');
      await second.exited;
      await expectSpared(plain, spared.child);
    },
  );

  test('the query parameter wins over the label; the end is a kill in exec inspect', async () => {
    const socketPath = engine.host.replace('unix://', '');
    const attach = async (container: string, query: string) => {
      const { child, cmd } = family();
      const exec = await createExec(engine.host, container, { Cmd: cmd, AttachStdout: true }, query);
      const socket = connect(socketPath);
      socket.write(
        `POST /exec/${exec}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
      );
      await counts(container, child, 2);
      socket.destroy();
      return { child, exec };
    };
    const killed = await attach(plain, '?killOnDisconnect=1');
    await counts(plain, killed.child, 0);
    expect(await exitOf(engine.host, killed.exec)).toBe(137);
    const spared = await attach(labelled, '?killOnDisconnect=0');
    await expectSpared(labelled, spared.child);
    expect((await inspectExec(engine.host, spared.exec)).Running).toBe(true);
  });
});

describe.skipIf(givenHost() !== undefined)('over TCP', () => {
  const tcp = useEngine({ flags: ['-H', 'tcp://127.0.0.1:0'] });

  test('a client that had closed its input and is gone is noticed', async () => {
    const port =
      /"?(?:address|endpoint|listen)[^\n]*127\.0\.0\.1:(\d+)/.exec(tcp.daemon?.log() ?? '')?.[1] ?? '';
    expect(port).not.toBe('');
    const name = uniqueName('exec-tcp');
    await tcp.must(gantryClient, ['run', '-d', '--name', name, 'busybox', 'sleep', '100000']);
    const endpoint = { host: `tcp://127.0.0.1:${port}` };
    const client = spawnClient(
      gantryClient,
      ['exec', '--kill-on-disconnect', name, 'sleep', '9001'],
      endpoint,
    );
    await eventually('the process', async () => (await countProcesses(tcp.host, name, 'sleep 9001')) === 1);
    client.kill('SIGKILL');
    await eventually('its end', async () => (await countProcesses(tcp.host, name, 'sleep 9001')) === 0);
    await tcp.must(gantryClient, ['rm', '-f', name]);
  });
});
