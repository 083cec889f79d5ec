import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import type { RestartPolicy } from './model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  fixture.storeError = undefined;
  await fixture[Symbol.asyncDispose]();
});

const run = async (name: RestartPolicy['name'] = 'no', maximumRetryCount = 0): Promise<string> => {
  const hostConfig = { restartPolicy: { name, maximumRetryCount } };
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  await fixture.containers.start(id);
  return id;
};
const status = (id: string) => fixture.containers.get(id).state.status;
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
const fullDisk = () => new Error('database or disk is full');

/** A container whose restart by policy is under way, and holds its lock until `proceed`. */
async function inRestart(failure?: Error): Promise<{ id: string; proceed: () => void }> {
  const id = await run('always');
  const gate = Promise.withResolvers<void>();
  let isStarting = false;
  const create = fixture.runtime.create.bind(fixture.runtime);
  fixture.runtime.create = async (options) => {
    isStarting = true;
    await gate.promise;
    fixture.runtime.create = create;
    if (failure) throw failure;
    return await create(options);
  };
  fixture.runtime.task(id).exit(1);
  await until(() => isStarting);
  expect(status(id)).toBe('restarting');
  return { id, proceed: gate.resolve };
}

test.each(['stop', 'kill'] as const)('%s: one whose restart is under way is ended for good', async (what) => {
  const { id, proceed } = await inRestart();
  const done = fixture.containers[what](id);
  proceed();
  await done;
  await until(() => status(id) !== 'running');
  expect(fixture.containers.get(id)).toMatchObject({ manuallyStopped: true, state: { status: 'exited' } });
  expect(fixture.actions().filter((action) => action === 'kill')).toEqual(['kill']);
});

test('kill: a signal that does not end it leaves the policy of one whose restart is under way', async () => {
  const { id, proceed } = await inRestart();
  const done = fixture.containers.kill(id, 'HUP');
  proceed();
  await done;
  expect(fixture.runtime.task(id).signals).toEqual([1]);
  expect(fixture.containers.get(id).manuallyStopped).toBe(false);
});

test('kill: the stop signal ends one whose restart is under way for good', async () => {
  const { id, proceed } = await inRestart();
  const done = fixture.containers.kill(id, 'TERM');
  proceed();
  await done;
  await until(() => status(id) === 'exited');
  expect(fixture.containers.get(id).manuallyStopped).toBe(true);
});

test('stop: one whose restart under way fails is not tried again', async () => {
  const { id, proceed } = await inRestart(new Error('boom'));
  const { exit } = fixture.containers.wait(id, 'not-running');
  const done = fixture.containers.stop(id);
  proceed();
  await done;
  expect(await exit).toEqual({ exitCode: 128 });
  expect(fixture.containers.get(id)).toMatchObject({ manuallyStopped: true, state: { status: 'exited' } });
});

test('wait: is answered when a container that waits for its restart is stopped', async () => {
  const id = await run('always');
  fixture.runtime.task(id).exit(3);
  await until(() => status(id) === 'restarting');
  const { exit } = fixture.containers.wait(id, 'not-running');
  await fixture.containers.stop(id);
  expect(await exit).toEqual({ exitCode: 3 });
});

test('wait: is answered when the last retry cannot be started', async () => {
  const id = await run('on-failure', 1);
  fixture.runtime.createError = new Error('boom');
  fixture.runtime.task(id).exit(1);
  await until(() => status(id) === 'restarting');
  const { exit } = fixture.containers.wait(id, 'not-running');
  expect(await exit).toEqual({ exitCode: 128 });
});

test.each(['stop', 'kill'] as const)('%s: works when nothing can be stored', async (what) => {
  const id = await run('always');
  fixture.storeError = fullDisk();
  await fixture.containers[what](id);
  await until(() => status(id) === 'exited');
  expect(fixture.containers.get(id).manuallyStopped).toBe(true);
});

test('stop: cancels a restart also when that cannot be stored', async () => {
  const id = await run('always');
  fixture.runtime.task(id).exit(1);
  await until(() => status(id) === 'restarting');
  fixture.storeError = fullDisk();
  await fixture.containers.stop(id);
  expect(status(id)).toBe('exited');
});

test('restart policy: outlives a time in which nothing can be stored', async () => {
  const id = await run('always');
  fixture.storeError = fullDisk();
  fixture.runtime.task(id).exit(1);
  await until(() => fixture.containers.get(id).restartCount >= 2);
  fixture.storeError = undefined;
  await until(() => status(id) === 'running');
});

test('stop, kill: a process that does not die keeps nobody waiting for ever', async () => {
  const id = await run();
  fixture.runtime.task(id).kill = async () => true;
  jest.useFakeTimers();
  try {
    for (const what of ['stop', 'kill'] as const) {
      const ended =
        what === 'stop' ? fixture.containers.stop(id, { timeoutS: 0 }) : fixture.containers.kill(id);
      const told = ended.then(
        () => 'done',
        ({ message }: Error) => message,
      );
      for (let turn = 0; turn < 40; turn += 1) {
        await Promise.resolve();
        jest.advanceTimersByTime(1000);
      }
      expect(await told).toBe(
        `${what === 'stop' ? `cannot stop container: ${id}: ` : ''}tried to kill container, but did not receive an exit event`,
      );
    }
  } finally {
    jest.useRealTimers();
  }
});

test('stop: a timeout of a month is one', async () => {
  const id = await run();
  const task = fixture.runtime.task(id);
  task.ignoredSignals.add(15);
  const stopped = fixture.containers.stop(id, { timeoutS: 30 * 24 * 3600 });
  await until(() => task.signals.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(task.signals).toEqual([15]);
  task.exit(0);
  await stopped;
});

test('restart: an auto-removed container whose start fails goes, as with start', async () => {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ hostConfig: { autoRemove: true } }));
  await containers.start(id);
  runtime.createError = new Error('boom');
  await expect(containers.restart(id)).rejects.toThrow('boom');
  expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
});
