import { afterEach, beforeEach, expect, test } from 'bun:test';
import { errorCode, errorMessage } from '#base';
import { decodeContainer } from './decode.ts';
import type { RestartPolicy } from './model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';
import type { ContainerService } from './types.ts';

/**
 * Random sequences of operations on one container, against a model that knows docker's rules: after each step the state,
 * the stored row, the answer, and what the container holds (process, network, mount) are as the model says. Daemon crashes
 * and ends of the process are among the steps.
 */
const SEQUENCES = 100;
const STEPS = 25;

type Status = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'gone';
interface Model {
  readonly status: Status;
  readonly policy: RestartPolicy['name'];
  readonly manuallyStopped: boolean;
  readonly exitCode: number;
}
/** What an operation answers: done, or docker's refusal. */
type Answer = 'done' | { readonly code: string; readonly text: RegExp };
interface Step {
  readonly next: Partial<Model>;
  readonly answer: Answer;
}

const done = (next: Partial<Model> = {}): Step => ({ next, answer: 'done' });
const refused = (code: string, text: RegExp): Step => ({ next: {}, answer: { code, text } });
const notRunning = refused('conflict', /^container [0-9a-f]{64} is not running$/);
const started = done({ status: 'running', manuallyStopped: false });
const stopped = (exitCode: number) => done({ status: 'exited', manuallyStopped: true, exitCode });
/** An end that was waited for: the code is that of the run before. */
const canceled = done({ status: 'exited', manuallyStopped: true });
const inUse = (why: string) =>
  refused('conflict', new RegExp(`^cannot remove container "/[^"]+": container is ${why}`));
const removed = done({ status: 'gone' });

/** By operation and state. Source: moby `daemon/{start,stop,kill,pause,unpause,restart,delete}.go`; see also the e2e table. */
const RULES = {
  start: {
    created: started,
    exited: started,
    running: refused('not_modified', /already running/),
    restarting: refused('not_modified', /already running/),
    paused: refused('conflict', /^cannot start a paused container, try unpause instead$/),
  },
  stop: {
    created: refused('not_modified', /already stopped/),
    exited: refused('not_modified', /already stopped/),
    running: stopped(143),
    paused: stopped(143),
    restarting: canceled,
  },
  kill: {
    created: notRunning,
    exited: notRunning,
    running: stopped(137),
    paused: stopped(137),
    restarting: canceled,
  },
  signal: {
    created: notRunning,
    exited: notRunning,
    running: done(),
    paused: done({ status: 'running' }),
    restarting: canceled,
  },
  pause: {
    created: notRunning,
    exited: notRunning,
    running: done({ status: 'paused' }),
    paused: refused('conflict', /^container \S+ is already paused$/),
    restarting: refused('conflict', /^Container \S+ is restarting, wait until the container is running$/),
  },
  unpause: {
    created: refused('internal', /^Container \S+ is not paused$/),
    exited: refused('internal', /^Container \S+ is not paused$/),
    running: refused('internal', /^Container \S+ is not paused$/),
    paused: done({ status: 'running' }),
    restarting: refused('internal', /^Container \S+ is not paused$/),
  },
  restart: { created: started, exited: started, running: started, paused: started, restarting: started },
  remove: {
    created: removed,
    exited: removed,
    running: inUse('running: stop the container before removing or force remove$'),
    paused: inUse('paused and must be unpaused first$'),
    restarting: inUse('restarting: stop the container before removing or force remove$'),
  },
  removeForced: { created: removed, exited: removed, running: removed, paused: removed, restarting: removed },
  rename: { created: done(), exited: done(), running: done(), paused: done(), restarting: done() },
} as const satisfies Record<string, Record<Exclude<Status, 'gone'>, Step>>;
type Operation = keyof typeof RULES;

/** Whether the policy starts it again after the end of a run. */
const goesOn = ({ policy, manuallyStopped }: Model, exitCode: number): boolean =>
  !manuallyStopped &&
  (policy === 'always' || policy === 'unless-stopped' || (policy === 'on-failure' && exitCode !== 0));

/** What a start of the daemon makes of it. */
function afterCrash(model: Model): Model {
  const { status, policy, exitCode, manuallyStopped } = model;
  const isEnded = status === 'exited';
  const starts = status === 'restarting' || (isEnded && (policy === 'always' || goesOn(model, exitCode)));
  return starts ? { ...model, status: 'running', manuallyStopped: false } : { ...model, manuallyStopped };
}

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

/** Deterministic: a sequence is repeated by its number. Source: mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const POLICIES = ['no', 'always', 'unless-stopped', 'on-failure'] as const;
const OPERATIONS = Object.keys(RULES) as Operation[];
type Move = Operation | 'update' | 'end' | 'oom' | 'crash' | 'due';
const MOVES: readonly Move[] = [
  ...OPERATIONS.filter((operation) => !operation.startsWith('remove')),
  ...(['start', 'pause', 'update', 'end', 'end', 'oom', 'crash', 'due'] as const),
];

class Play {
  readonly #fixture: ContainersFixture;
  readonly #random: (below: number) => number;
  service: ContainerService;
  id = '';
  #name = '';
  #renames = 0;
  #model: Model = { status: 'created', policy: 'no', manuallyStopped: false, exitCode: 0 };

  constructor(given: ContainersFixture, seed: number) {
    this.#fixture = given;
    this.service = given.containers;
    this.#random = randomOf(seed);
    this.#name = `play${seed}`;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random(choices.length)] as T;
  }

  async run(trace: string[]): Promise<void> {
    const policy = this.#pick(POLICIES);
    const restartPolicy = { name: policy, maximumRetryCount: 0 };
    this.#model = { ...this.#model, policy };
    this.id = (
      await this.service.create(createRequestFixture({ name: this.#name, hostConfig: { restartPolicy } }))
    ).id;
    trace.push(`create ${policy}`);
    for (let step = 0; step < STEPS; step += 1) {
      // The very last step is a removal, refused or not; then a forced one.
      const move = step === STEPS - 2 ? 'remove' : step === STEPS - 1 ? 'removeForced' : this.#pick(MOVES);
      trace.push(move);
      await this.#make(move);
      await this.#check();
      if (this.#model.status === 'gone') return;
    }
  }

  async #make(move: Move): Promise<void> {
    if (move === 'crash') return await this.#crash();
    if (move === 'update') return await this.#update();
    if (move === 'end' || move === 'oom') return await this.#end(move === 'oom');
    if (move === 'due') return await this.#due();
    if (this.#model.status !== 'gone') await this.#operate(move, RULES[move][this.#model.status]);
  }

  /** Whoever waits for an end or the removal is answered. */
  async #operate(operation: Operation, { next, answer }: Step): Promise<void> {
    const wait = this.#expectedEnd(next);
    const removal = next.status === 'gone' ? this.service.wait(this.id, 'removed') : undefined;
    const given = await this.#call(operation);
    if (answer === 'done') expect(given).toBe('done');
    else {
      expect(given).toEqual({ code: answer.code });
      expect(this.#said).toMatch(answer.text);
    }
    await wait;
    await removal?.exit;
    this.#model = { ...this.#model, ...next };
  }

  /** Asked before the operation that ends the run; forced removals kill. */
  #expectedEnd(next: Partial<Model>): Promise<void> | undefined {
    const { status } = this.#model;
    const isEnded = next.status === 'gone' || next.status === 'exited';
    if (!isEnded || (status !== 'running' && status !== 'paused')) return undefined;
    const { exit } = this.service.wait(this.id, 'next-exit');
    return exit.then((result) => expect(result).toEqual({ exitCode: next.exitCode ?? 137 }));
  }

  #said = '';

  async #call(operation: Operation): Promise<Answer | { readonly code: string }> {
    const { service, id } = this;
    const calls: Record<Operation, () => Promise<unknown>> = {
      start: () => service.start(id),
      stop: () => service.stop(id),
      kill: () => service.kill(id),
      signal: () => service.kill(id, 'USR1'),
      pause: () => service.pause(id),
      unpause: () => service.unpause(id),
      restart: () => service.restart(id),
      remove: () => service.remove(id),
      removeForced: () => service.remove(id, { force: true }),
      rename: () => service.rename(id, `${this.#name}-${++this.#renames}`),
    };
    try {
      await calls[operation]();
      return 'done';
    } catch (error) {
      this.#said = errorMessage(error);
      return { code: errorCode(error) };
    }
  }

  async #update(): Promise<void> {
    const policy = this.#pick(POLICIES);
    await this.service.update(this.id, {
      resources: {},
      restartPolicy: { name: policy, maximumRetryCount: 0 },
    });
    this.#model = { ...this.#model, policy };
  }

  /** The process ends by itself, where there is one. */
  async #end(oomKilled: boolean): Promise<void> {
    const { status } = this.#model;
    if (status !== 'running' && status !== 'paused') return;
    const exitCode = oomKilled ? 137 : this.#pick([0, 3]);
    const { exit } = this.service.wait(this.id, 'next-exit');
    this.#fixture.runtime.task(this.id).exit(exitCode, { oomKilled });
    expect(await exit).toEqual({ exitCode });
    const next = goesOn(this.#model, exitCode) ? 'restarting' : 'exited';
    this.#model = { ...this.#model, status: next, exitCode };
    const { state } = this.service.get(this.id);
    if (state.status === 'exited') expect(state.oomKilled).toBe(oomKilled);
  }

  /** The policy's restart comes, where one is to come. */
  async #due(): Promise<void> {
    if (this.#model.status !== 'restarting') return;
    await this.#reachRunning();
    this.#model = { ...this.#model, status: 'running', manuallyStopped: false };
  }

  async #reachRunning(): Promise<void> {
    while (this.service.get(this.id).state.status !== 'running')
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** The predecessor is dead: its tasks are replaced, so that it sees no end of theirs. */
  async #crash(): Promise<void> {
    const { runtime } = this.#fixture;
    await this.service.shutdown({ stopAll: false });
    const abandoned = runtime.tasks.get(this.id);
    if (abandoned) {
      runtime.tasks.delete(this.id);
      const task = await runtime.create(abandoned.options);
      task.paused = abandoned.paused;
    }
    this.service = await this.#fixture.successor();
    this.#model = afterCrash(this.#model);
    if (this.#model.status === 'running') await this.#reachRunning();
  }

  async #check(): Promise<void> {
    const { status, policy, exitCode } = this.#model;
    const { runtime, snapshotter, metadata } = this.#fixture;
    const row = metadata.collection('containers', decodeContainer).get(this.id);
    const alive = status === 'running' || status === 'paused';
    const held = [runtime.tasks.has(this.id), snapshotter.mounted.has(this.id)];
    expect({ status: row?.state.status ?? 'gone', held }).toEqual({ status, held: [alive, alive] });
    if (status === 'gone') {
      expect(() => this.service.get(this.id)).toThrow('No such container');
      return;
    }
    const view = this.service.get(this.id);
    expect([view.state.status, view.hostConfig.restartPolicy.name]).toEqual([status, policy]);
    expect(view.sandbox !== undefined).toBe(alive);
    if (status === 'exited') expect(view.state).toMatchObject({ exitCode });
    if (!alive && status !== 'restarting')
      expect(await this.service.wait(this.id, 'not-running').exit).toMatchObject({ exitCode });
  }
}

test(`${SEQUENCES} random sequences of ${STEPS} operations are as the model says`, async () => {
  for (let seed = 1; seed <= SEQUENCES; seed += 1) {
    const trace: string[] = [];
    const play = new Play(fixture, seed);
    try {
      await play.run(trace);
    } catch (error) {
      throw new Error(`sequence ${seed}: ${trace.join(', ')}\n${errorMessage(error)}`, { cause: error });
    } finally {
      if (play.service !== fixture.containers) {
        await play.service.shutdown({ stopAll: false });
        await fixture[Symbol.asyncDispose]();
        fixture = await createContainersFixture();
      }
    }
  }
}, 60_000);
