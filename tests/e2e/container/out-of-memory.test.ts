import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
const START_S = Math.floor(Date.now() / 1000);
const isV1 = !existsSync('/sys/fs/cgroup/cgroup.controllers');
/** Touches memory in user mode: a read into memory that there is not would only fail. */
const GROWS = 'a=x; while :; do a=$a$a; done';
const LIMIT = ['-m', '32m', '--memory-swap', '32m'];

describe.each(allClients())('$name: out of memory', (client) => {
  const must = (...args: string[]) => engine.must(client, args);

  async function told(name: string): Promise<string[]> {
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const text = await must(
      ...['events', '--since', String(START_S), '--until', until, '--format', '{{.Action}}'],
      ...['--filter', `container=${name}`, '--filter', 'event=oom', '--filter', 'event=die'],
    );
    return text.split('\n').filter(Boolean);
  }

  test('a container that loses a child is told at once, and goes on', async () => {
    const name = uniqueName('child');
    await must(
      ...['run', '-d', '--name', name, ...LIMIT, 'busybox', 'sh', '-c'],
      '(tail /dev/zero); exec sleep 1000',
    );
    await eventually('the event', async () => (await told(name)).includes('oom'));
    expect(await must('inspect', '-f', '{{.State.Running}} {{.State.OOMKilled}}', name)).toBe('true true');
    await must('kill', name);
    await must('wait', name);
    expect(await must('inspect', '-f', '{{.State.Running}} {{.State.OOMKilled}}', name)).toBe('false true');
    expect((await told(name)).at(-1)).toBe('die');
    await must('rm', '-f', name);
  });

  test.skipIf(!isV1)('--oom-kill-disable: one that hangs is told while it hangs', async () => {
    const name = uniqueName('hangs');
    await must('run', '-d', '--name', name, ...LIMIT, '--oom-kill-disable', 'busybox', 'sh', '-c', GROWS);
    await eventually('the event', async () => (await told(name)).includes('oom'));
    expect(await must('inspect', '-f', '{{.State.Running}}', name)).toBe('true');
    await must('rm', '-f', name);
  });

  test('a limit that came later counts', async () => {
    const name = uniqueName('later');
    await must(
      'run',
      '-d',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'until [ -e /go ]; do sleep 0.1; done; (tail /dev/zero); exec sleep 1000',
    );
    await must('update', ...LIMIT, name);
    await must('exec', name, 'touch', '/go');
    await eventually('the event', async () => (await told(name)).includes('oom'));
    expect(await told(name)).not.toContain('die');
    await must('rm', '-f', name);
  });
});
