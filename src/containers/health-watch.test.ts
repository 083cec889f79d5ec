import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { EngineEvent } from '#base';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const MS = 1_000_000;

/** A running container whose probes end with what `codes` gives, one after the other, the last one for ever. */
async function runChecked(codes: number[]): Promise<string> {
  const check = { Test: ['CMD', 'probe'], Interval: 5 * MS, Timeout: 1000 * MS, Retries: 2 };
  const { id } = await fixture.containers.create(createRequestFixture({ config: { healthcheck: check } }));
  fixture.runtime.onCreate = (task) => {
    task.onExec = (exec) => {
      exec.emit('stdout', 'probed');
      const code = codes.length > 1 ? codes.shift() : codes[0];
      queueMicrotask(() => exec.exit(code ?? 0));
    };
  };
  return id;
}

function nextEvent(action: string): Promise<EngineEvent> {
  return new Promise((resolve) => {
    const subscription = fixture.bus.subscribe((event) => {
      if (event.action !== action) return;
      subscription[Symbol.dispose]();
      resolve(event);
    });
  });
}

const stateOf = (id: string) => fixture.containers.get(id).state;

test('health: starting, healthy, unhealthy, with events; unhealthy once it has ended', async () => {
  const id = await runChecked([0, 1]);
  const healthy = nextEvent('health_status: healthy');
  const unhealthy = nextEvent('health_status: unhealthy');
  await fixture.containers.start(id);
  expect(stateOf(id)).toMatchObject({ health: { status: 'starting', log: [] } });
  await healthy;
  expect(stateOf(id)).toMatchObject({
    health: { status: 'healthy', log: [{ exitCode: 0, output: 'probed' }] },
  });
  expect((await unhealthy).actorId).toBe(id);
  expect(fixture.containers.list({ filters: { health: ['unhealthy'] } })).toHaveLength(1);
  await fixture.containers.stop(id);
  expect(stateOf(id)).toMatchObject({ status: 'exited', health: { status: 'unhealthy' } });
});

test('health: probes leave no exec behind, and none runs in a paused container', async () => {
  const id = await runChecked([0]);
  const healthy = nextEvent('health_status: healthy');
  await fixture.containers.start(id);
  await healthy;
  await fixture.containers.pause(id);
  const { execs } = fixture.runtime.task(id);
  const count = execs.size;
  expect(fixture.containers.get(id).execIds).toEqual([]);
  const probed = nextEvent('exec_die');
  await fixture.containers.unpause(id);
  await probed;
  expect(execs.size).toBeGreaterThan(count);
});

test('health: a successor goes on from what is stored', async () => {
  const id = await runChecked([0]);
  const healthy = nextEvent('health_status: healthy');
  await fixture.containers.start(id);
  await healthy;
  await fixture.containers.shutdown({ stopAll: false });
  const probed = nextEvent('exec_die');
  const next = await fixture.successor();
  expect(next.get(id).state).toMatchObject({ health: { status: 'healthy' } });
  await probed;
  await next.shutdown({ stopAll: true });
});
