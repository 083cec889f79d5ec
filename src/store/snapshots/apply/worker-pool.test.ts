import { afterEach, describe, expect, jest, test } from 'bun:test';
import type { ApplyJob } from './apply-archive.ts';
import { ApplyPool } from './worker-pool.ts';

const job: ApplyJob = { blobPath: 'x', targetDir: 'y', parentDirs: [] };
const urls: string[] = [];
afterEach(() => {
  jest.useRealTimers();
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
});

/** A pool whose Workers run `handler`, the body of a message handler with `data` and `reply`. */
function poolOf(handler: string, size?: number): { readonly pool: ApplyPool; readonly hired: () => number } {
  const source = `self.onmessage = async ({ data }) => {
    const reply = (message) => self.postMessage({ id: data.id, ...message });
    ${handler}
  };`;
  const url = URL.createObjectURL(new Blob([source], { type: 'application/javascript' }));
  urls.push(url);
  let hired = 0;
  const createWorker = (): Worker => {
    hired += 1;
    return new Worker(url);
  };
  return {
    pool: new ApplyPool({ createWorker, ...(size === undefined ? {} : { size }) }),
    hired: () => hired,
  };
}
const ECHO = 'reply({ result: { diffId: data.job.blobPath, sizeBytes: 0, hasOpaqueRoot: false } });';

describe('ApplyPool', () => {
  test('uses a Worker again', async () => {
    const { pool, hired } = poolOf(ECHO);
    for (let round = 0; round < 3; round += 1) await pool.run(job);
    expect(hired()).toBe(1);
    pool.close();
  });

  test('runs at most two jobs at once and answers each its own', async () => {
    const { pool, hired } = poolOf(ECHO);
    const names = ['a', 'b', 'c', 'd', 'e'];
    const results = await Promise.all(names.map((blobPath) => pool.run({ ...job, blobPath })));
    expect(results.map(({ diffId }) => String(diffId))).toEqual(names);
    expect(hired()).toBe(2);
    pool.close();
  });

  test('passes errors with their code', async () => {
    const { pool } = poolOf("reply({ code: 'invalid_argument', message: 'broken' });");
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'invalid_argument', message: 'broken' });
    pool.close();
  });

  test('a Worker that ends fails its job only; the next gets a new one', async () => {
    const { pool, hired } = poolOf(`if (data.job.blobPath === 'die') process.exit(3); ${ECHO}`, 1);
    await expect(pool.run({ ...job, blobPath: 'die' })).rejects.toThrow('the layer worker died');
    expect(String((await pool.run(job)).diffId)).toBe('x');
    expect(hired()).toBe(2);
    pool.close();
  });

  test('a Worker that cannot be loaded fails its job', async () => {
    const pool = new ApplyPool({ createWorker: () => new Worker('file:///does/not/exist.ts') });
    await expect(pool.run(job)).rejects.toThrow('the layer worker died');
  });

  test('a Worker that throws outside its handler fails its job', async () => {
    const { pool } = poolOf("queueMicrotask(() => { throw new Error('oops') });");
    await expect(pool.run(job)).rejects.toThrow('oops');
  });

  test('an abort reaches a Worker that reads no messages', async () => {
    const { pool } = poolOf(
      "while (Atomics.load(new Int32Array(data.cancel), 0) === 0); reply({ code: 'canceled', message: 'stopped' });",
    );
    const controller = new AbortController();
    const running = pool.run(job, controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 1);
    await expect(running).rejects.toThrow('enough');
    pool.close();
  });

  test('an idle Worker is ended', async () => {
    const ended = Promise.withResolvers<void>();
    const { pool: template } = poolOf(ECHO);
    template.close();
    const url = urls.at(-1) ?? '';
    const pool = new ApplyPool({
      idleMs: 1,
      createWorker: () => {
        const worker = new Worker(url);
        worker.addEventListener('close', () => ended.resolve());
        return worker;
      },
    });
    await pool.run(job);
    await ended.promise;
    expect(String((await pool.run(job)).diffId)).toBe('x');
    pool.close();
  });

  test('an idle Worker that dies costs no other one its place', async () => {
    jest.useFakeTimers();
    const { pool, hired, terminated, die, finish } = poolOfFakes();
    const [one, other] = [pool.run(job), pool.run(job)];
    finish(0);
    await one;
    die(0);
    jest.advanceTimersByTime(IDLE_MS / 2);
    finish(1);
    await other;
    // When the dead one would have been let go.
    jest.advanceTimersByTime(IDLE_MS / 2);
    const next = pool.run(job);
    expect(hired()).toBe(2);
    finish(1);
    await next;
    jest.advanceTimersByTime(IDLE_MS - 1);
    expect(terminated(1)).toBe(false);
    jest.advanceTimersByTime(1);
    expect(terminated(1)).toBe(true);
  });
});

const IDLE_MS = 20;

/** A pool whose Workers do what the test says. */
function poolOfFakes() {
  const workers: { worker: Worker; lastId: number; die: () => void; isTerminated: boolean }[] = [];
  const createWorker = (): Worker => {
    const worker = {
      ref: () => {},
      unref: () => {},
      terminate: () => {
        fake.isTerminated = true;
      },
      postMessage: ({ id }: { readonly id: number }) => {
        fake.lastId = id;
      },
      addEventListener: (name: string, listener: () => void) => {
        if (name === 'close') fake.die = listener;
      },
    } as unknown as Worker;
    const fake = { worker, lastId: 0, die: () => {}, isTerminated: false };
    workers.push(fake);
    return worker;
  };
  const finish = (index: number): void => {
    const { worker, lastId } = workers[index] ?? {};
    worker?.onmessage?.({ data: { id: lastId, result: {} } } as MessageEvent);
  };
  return {
    pool: new ApplyPool({ createWorker, idleMs: IDLE_MS }),
    hired: () => workers.length,
    terminated: (index: number) => workers[index]?.isTerminated,
    die: (index: number) => workers[index]?.die(),
    finish,
  };
}
