import { afterEach, expect, test } from 'bun:test';
import { createSys, SysError } from '#sys';
import { identify, openProcess, processEnd } from './liveness.ts';

const real = createSys().processes;
const children: Bun.Subprocess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await child.exited;
  }
});
function sleeper() {
  const child = Bun.spawn(['sleep', '1000'], { stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
  const identity = identify(child.pid);
  if (!identity) throw new Error('no such process');
  return { child, identity };
}
const never = new AbortController().signal;

test('processEnd: want of descriptors is no end', async () => {
  const { child, identity } = sleeper();
  let refusals = 3;
  const pidfdOpen = (pid: number) => {
    if (refusals > 0) {
      refusals -= 1;
      throw new SysError('EMFILE', 'pidfd_open');
    }
    return real.pidfdOpen(pid);
  };
  let ended = false;
  const end = processEnd(identity, { processes: { ...real, pidfdOpen } }, never).then(() => {
    ended = true;
  });
  const opened = openProcess(identity, { processes: real });
  expect([opened === undefined, ended]).toEqual([false, false]);
  if (opened !== undefined) real.closeFd(opened);
  child.kill('SIGKILL');
  await end;
  expect(refusals).toBe(0);
});

test('processEnd: another process with the PID has nothing to do with it; an abort ends the waiting', async () => {
  const { identity } = sleeper();
  await processEnd({ ...identity, startTime: '1' }, { processes: real }, never);
  const closing = new AbortController();
  const waiting = processEnd(identity, { processes: real }, closing.signal);
  closing.abort();
  await expect(waiting).rejects.toThrow();
});
