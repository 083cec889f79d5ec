import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttachNotice } from './cgroup-attach.ts';

/** A v1 hierarchy of ordinary files in which this process is in `/app`. */
function recorded() {
  const root = mkdtempSync(join(tmpdir(), 'gantry-attach-'));
  const procs = join(root, 'pids/app/cgroup.procs');
  mkdirSync(join(root, 'pids/app'), { recursive: true });
  writeFileSync(procs, '');
  const membership = join(root, 'membership');
  writeFileSync(membership, '4:memory:/elsewhere\n3:pids:/app\n0::/\n');
  const controllers = new Map([['pids', join(root, 'pids')]]);
  const notice = new AttachNotice({ mode: 'legacy', controllers, unified: undefined, membership });
  return { notice, procs, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

async function untilWritten(path: string): Promise<string> {
  for (let tries = 0; tries < 500; tries += 1) {
    const text = readFileSync(path, 'utf8');
    if (text !== '') return text;
    await sleep(2);
  }
  return '';
}

test('`give`: moves this process to where it already is', async () => {
  using tree = recorded();
  tree.notice.give();
  expect(await untilWritten(tree.procs)).toBe(String(process.pid));
});

test('`give`: a cgroup that refuses the move ends the matter, without an error', async () => {
  using tree = recorded();
  rmSync(tree.procs);
  tree.notice.give();
  await sleep(20);
  writeFileSync(tree.procs, '');
  tree.notice.give();
  await sleep(20);
  expect(readFileSync(tree.procs, 'utf8')).toBe('');
});
