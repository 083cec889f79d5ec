import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';
import {
  countProcesses,
  createExec,
  execIdsOf,
  exitOf,
  inspectExec,
  spawnClient,
  startDetached,
} from './api.ts';

const engine = useEngine();
const name = uniqueName('exec-crash');
let id = '';

beforeAll(async () => {
  if (engine.daemon === undefined) return;
  id = await engine.must(gantryClient, ['run', '-d', '--name', name, 'busybox', 'sleep', '100000']);
}, 60_000);

const waitFor = (file: string, then: string) => [
  'sh',
  '-c',
  `while [ ! -e /tmp/${file} ]; do sleep 0.05; done; ${then}`,
];
const touch = (file: string) => engine.must(gantryClient, ['exec', name, 'touch', `/tmp/${file}`]);
/** {@link touch} while there is no daemon. */
const touchFromHost = (init: string, file: string) => writeFileSync(`/proc/${init}/root/tmp/${file}`, '');
const execCgroups = () => globSync(`/sys/fs/cgroup/**/${id}/exec-*`);

describe.skipIf(givenHost() !== undefined)('a killed daemon', () => {
  test('the next one knows its execs, reports their ends and cleans up after them', async () => {
    const { daemon, host } = engine;
    const since = String(Math.floor(Date.now() / 1000));
    const lasting = await createExec(host, name, { Cmd: waitFor('later', 'exit 7'), Env: ['A=1'] });
    const ending = await createExec(host, name, { Cmd: waitFor('ended', 'exit 8') });
    for (const exec of [lasting, ending]) expect((await startDetached(host, exec)).status).toBe(200);
    const client = spawnClient(
      gantryClient,
      ['exec', name, ...waitFor('attached', 'echo late; exit 9')],
      engine,
    );
    const attached = await eventually('the attached exec', async () =>
      (await execIdsOf(host, name)).find((exec) => exec !== lasting && exec !== ending),
    );
    await eventually('its process', async () => (await inspectExec(host, attached)).Pid > 0);
    const before = await inspectExec(host, lasting);
    const { Pid: endingPid } = await inspectExec(host, ending);
    const init = await engine.must(gantryClient, ['inspect', '-f', '{{.State.Pid}}', name]);
    await daemon?.crash();
    expect(await client.exited).not.toBe(0);
    expect(existsSync(`/proc/${endingPid}`)).toBe(true);
    touchFromHost(init, 'ended');
    await eventually('an end that no daemon sees', () => !existsSync(`/proc/${endingPid}`));
    await daemon?.restart();
    expect(await inspectExec(host, lasting)).toEqual(before);
    expect(await exitOf(host, ending)).toBe(8);
    expect(new Set(await execIdsOf(host, name))).toEqual(new Set([lasting, attached]));
    await touch('later');
    expect(await exitOf(host, lasting)).toBe(7);
    await touch('attached');
    expect(await exitOf(host, attached)).toBe(9);
    expect(await execIdsOf(host, name)).toEqual([]);
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const format = '{{.Action}} {{index .Actor.Attributes "execID"}} {{index .Actor.Attributes "exitCode"}}';
    const events = await engine.must(gantryClient, [
      ...['events', '--since', since, '--until', until, '--filter', 'event=exec_die', '--format', format],
    ]);
    for (const [exec, code] of Object.entries({ [ending]: 8, [lasting]: 7, [attached]: 9 }))
      expect(events).toContain(`exec_die ${exec} ${code}`);
    expect(execCgroups()).toEqual([]);
    expect(globSync(`${daemon?.execRoot}/tasks/${id}/execs/*`)).toEqual([]);
  }, 60_000);

  test('an exec that ends with its client ends with the daemon that held the connection', async () => {
    const { daemon } = engine;
    spawnClient(gantryClient, ['exec', '--kill-on-disconnect', name, 'sleep', '7001'], engine);
    await eventually(
      'the process',
      async () => (await countProcesses(engine.host, name, 'sleep 7001')) === 1,
    );
    await daemon?.crash();
    await daemon?.restart();
    await eventually('its end', async () => (await countProcesses(engine.host, name, 'sleep 7001')) === 0);
    await eventually('its cgroup to go', () => execCgroups().length === 0);
  }, 60_000);

  test('a health check goes with the daemon that has asked for it', async () => {
    const { daemon, host } = engine;
    const checked = uniqueName('exec-health');
    const flags = ['--health-cmd', 'sleep 7002', '--health-interval', '1s', '--health-timeout', '1h'];
    await engine.must(gantryClient, ['run', '-d', '--name', checked, ...flags, 'busybox', 'sleep', '100000']);
    const isChecked = async () => (await countProcesses(host, checked, 'sleep 7002')) === 1;
    await eventually('the check', isChecked);
    const [before = ''] = await execIdsOf(host, checked);
    await daemon?.crash();
    await daemon?.restart();
    await eventually('the next one', async () => {
      const [now = before] = await execIdsOf(host, checked);
      return now !== before && (await isChecked());
    });
    await engine.must(gantryClient, ['rm', '-f', checked]);
  }, 60_000);

  test('kill -9 at random moments of many execs: nothing stays, the container goes on', async () => {
    const { daemon } = engine;
    for (let crash = 0; crash < 6; crash += 1) {
      const clients = Array.from({ length: 4 }, () =>
        spawnClient(gantryClient, ['exec', name, 'true'], engine),
      );
      await Bun.sleep(10 + Math.random() * 80);
      await daemon?.crash();
      await Promise.all(clients.map(({ exited }) => exited));
      await daemon?.restart();
      await eventually('all execs to end', async () => (await execIdsOf(engine.host, name)).length === 0);
      expect(execCgroups()).toEqual([]);
      expect(globSync(`${daemon?.execRoot}/tasks/${id}/execs/*`)).toEqual([]);
    }
    expect(await engine.must(gantryClient, ['exec', name, 'echo', 'here'])).toBe('here');
  }, 120_000);
});
