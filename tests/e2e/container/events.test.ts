import { describe, expect, test } from 'bun:test';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';

const engine = useEngine();
const START_S = Math.floor(Date.now() / 1000);

function past(client: Client, ...flags: string[]): Promise<string[]> {
  const until = String(Math.floor(Date.now() / 1000));
  const range = ['events', '--since', String(START_S), '--until', until, '--format', '{{.Type}} {{.Action}}'];
  return engine.must(client, [...range, ...flags]).then((text) => text.split('\n').filter(Boolean));
}

describe.each(allClients())('$name events', (client) => {
  test('past ones by every filter', async () => {
    const name = uniqueName('ev');
    await engine.must(client, [
      'run',
      '--name',
      name,
      '-l',
      'team=red',
      '-v',
      `${name}:/v`,
      'busybox',
      'true',
    ]);
    await engine.must(client, ['rm', name]);
    await engine.must(client, ['volume', 'rm', name]);
    await engine.must(client, ['tag', 'busybox', `${name}:x`]);
    await engine.must(client, ['rmi', `${name}:x`]);
    // Whole seconds: what has just happened is in the second that is going on.
    await eventually(
      'a new second',
      async () => (await past(client, '--filter', `image=${name}:x`)).length >= 1,
    );
    const life = ['container create', 'container start', 'container die', 'container destroy'];
    const isLife = (line: string) => life.includes(line);
    expect((await past(client, '--filter', `container=${name}`)).filter(isLife)).toEqual(life);
    const byLabel = ['--filter', 'label=team=red', '--filter', `container=${name}`];
    expect((await past(client, ...byLabel)).filter(isLife)).toEqual(life);
    const dies = ['--filter', `container=${name}`, '--filter', 'event=die'];
    expect(await past(client, ...dies)).toEqual(['container die']);
    // Docker mounts it once more at the create.
    const ofVolume = new Set(await past(client, '--filter', 'type=volume', '--filter', `volume=${name}`));
    expect([...ofVolume]).toEqual(['volume create', 'volume mount', 'volume unmount', 'volume destroy']);
    expect(await past(client, '--filter', 'type=image', '--filter', `image=${name}`)).toContain('image tag');
    expect(await past(client, '--filter', `container=${name}`, '--filter', 'label=team=blue')).toEqual([]);
  });
});

test('events outlive the daemon, killed or stopped', async () => {
  const { daemon } = engine;
  const [client] = allClients();
  if (!daemon || !client) return;
  const name = uniqueName('kept');
  await engine.must(client, ['create', '--name', name, 'busybox']);
  const ends = ['--filter', 'event=create', '--filter', 'event=destroy'];
  const mine = () => past(client, '--filter', `container=${name}`, ...ends);
  await eventually('the event', async () => (await mine()).length === 1);
  // Events are written lazily, but no more than 64 wait.
  const unix = engine.host.replace('unix://', '');
  for (let n = 0; n < 64; n += 1) {
    const to = n % 2 === 0 ? `${name}-other` : name;
    const from = n % 2 === 0 ? name : `${name}-other`;
    await fetch(`http://engine/containers/${from}/rename?name=${to}`, { method: 'POST', unix });
  }
  await daemon.crash();
  await daemon.restart();
  expect(await mine()).toEqual(['container create']);
  await engine.must(client, ['rm', name]);
  expect(await daemon.stop()).toBe(0);
  await daemon.restart();
  await eventually('both events', async () => (await mine()).length === 2);
  expect(await mine()).toEqual(['container create', 'container destroy']);
});
