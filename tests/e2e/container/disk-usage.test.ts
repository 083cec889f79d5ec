import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';

const engine = useEngine();

const usage = async (client: Client): Promise<Record<string, string[]>> => {
  const format = '{{.Type}}|{{.TotalCount}}|{{.Active}}|{{.Size}}|{{.Reclaimable}}';
  const lines = (await engine.must(client, ['system', 'df', '--format', format])).split('\n');
  return Object.fromEntries(lines.map((line) => line.split('|')).map(([type = '', ...rest]) => [type, rest]));
};

describe.each(allClients())('$name system df and ps -s', (client) => {
  test('containers, volumes and images by size, active and reclaimable', async () => {
    const name = uniqueName('df');
    const script = 'dd if=/dev/zero of=/big bs=1000 count=3000; dd if=/dev/zero of=/v/big bs=1000 count=5000';
    await engine.must(client, ['run', '--name', name, '-v', `${name}:/v`, 'busybox', 'sh', '-c', script]);
    const sized = ['ps', '-as', '--filter', `name=${name}`, '--format', '{{.Size}}'];
    expect(await engine.must(client, sized)).toMatch(/^3MB \(virtual [\d.]+MB\)$/);
    const used = await usage(client);
    expect(used['Containers']).toEqual(['1', '0', '3MB', '3MB (100%)']);
    expect(used['Local Volumes']?.slice(0, 3)).toEqual(['1', '1', '5MB']);
    expect(used['Images']?.slice(0, 2)).toEqual(['1', '1']);
    expect(used['Build Cache']?.slice(0, 2)).toEqual(['0', '0']);
    const details = await engine.must(client, ['system', 'df', '-v']);
    expect(details).toContain(name);
    await engine.must(client, ['rm', name]);
    const [, active, size, reclaimable] = (await usage(client))['Local Volumes'] ?? [];
    expect([active, size]).toEqual(['0', '5MB']);
    expect(reclaimable).toBe('5MB (100%)');
    await engine.must(client, ['volume', 'rm', name]);
  });

  test('a running container that grows is seen to grow', async () => {
    const name = uniqueName('grow');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const sized = ['ps', '-s', '--filter', `name=${name}`, '--format', '{{.Size}}'];
    expect(await engine.must(client, sized)).toMatch(/^0B/);
    await engine.must(client, ['exec', name, 'dd', 'if=/dev/zero', 'of=/big', 'bs=1000', 'count=2000']);
    await eventually('the new size', async () => (await engine.must(client, sized)).startsWith('2MB'));
    await engine.must(client, ['rm', '-f', name]);
  });
});

test('F32: df answers from accounts: what stands still is walked once', async () => {
  const [client] = allClients();
  if (!client) throw new Error('no client');
  // The reference engine walks.
  if (!engine.daemon) return;
  const id = await engine.must(client, ['create', 'busybox']);
  const sizeOf = async () => {
    const { Containers } = (await (await ask()).json()) as { Containers: { Id: string; SizeRw?: number }[] };
    return Containers.find(({ Id }) => Id === id)?.SizeRw ?? 0;
  };
  const ask = () => fetch('http://engine/v1.44/system/df', { unix: engine.host.replace('unix://', '') });
  expect(await sizeOf()).toBe(0);
  const upper = await engine.must(client, ['inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', id]);
  writeFileSync(join(upper, 'behind its back'), 'x'.repeat(1000));
  expect(await sizeOf()).toBe(0);
  await engine.must(client, ['start', '-a', id]);
  await eventually('a new walk after a run', async () => (await sizeOf()) === 1000);
  await engine.must(client, ['rm', id]);
});
