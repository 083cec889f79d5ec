import { conflict, notFound } from '#base';
import type { Runtime, RuntimeBinary, Task, TaskOptions } from '../types.ts';
import { FakeTask } from './fake-task.ts';

/**
 * A {@link Runtime} in memory. Tests drive its tasks: `runtime.task(id).emit('stdout', 'hi\n')`, `.exit(0)`.
 *
 * The same instance serves a "successor daemon": what a test does to a task while nobody holds it is found by
 * `recover`.
 */
export class FakeRuntime implements Runtime {
  readonly runtimes: Readonly<Record<string, RuntimeBinary>> = {
    crun: { path: '/usr/bin/crun', args: [] },
    runc: { path: '/usr/bin/runc', args: [] },
  };
  readonly defaultRuntime = 'crun';
  readonly tasks = new Map<string, FakeTask>();
  readonly deleted: string[] = [];
  /** What {@link whyNoRecursiveReadOnly} says. */
  shallowReadOnly: string | undefined;
  closed = false;
  /** Thrown by the next `create`. */
  createError: Error | undefined;
  /** Called for each task made, so that a test can script it (for example to exit upon start). */
  onCreate: ((task: FakeTask) => void) | undefined;
  #nextPid = 1000;

  /** The task with this id. @throws when there is none. */
  task(id: string): FakeTask {
    const task = this.tasks.get(id);
    if (!task) throw notFound(`no fake task: ${id}`);
    return task;
  }

  async whyNoRecursiveReadOnly(): Promise<string | undefined> {
    return this.shallowReadOnly;
  }

  async create(options: TaskOptions): Promise<FakeTask> {
    options.signal?.throwIfAborted();
    const error = this.createError;
    this.createError = undefined;
    if (error) throw error;
    if (this.tasks.has(options.id)) throw conflict(`container with id "${options.id}" already exists`);
    const task = new FakeTask(options, this.#nextPid);
    this.#nextPid += 100;
    this.tasks.set(options.id, task);
    this.onCreate?.(task);
    return task;
  }

  async recover(id: string): Promise<Task | undefined> {
    return this.tasks.get(id);
  }

  async delete(id: string): Promise<void> {
    this.deleted.push(id);
    this.tasks.get(id)?.exit(137);
    this.tasks.delete(id);
  }

  leftovers(): string[] {
    return [...this.tasks.keys()];
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

export const createFakeRuntime = (): FakeRuntime => new FakeRuntime();
