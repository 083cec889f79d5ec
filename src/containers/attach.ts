import type { Engine } from './engine.ts';
import { attachToPaused, attachToRestarting } from './errors.ts';
import type { Instance } from './instance.ts';
import { readContainerLog } from './logs/container-log.ts';
import type { Container } from './model.ts';
import { containerPaths } from './paths.ts';
import { isAlive } from './state.ts';
import { ClientQueue } from './stdio/client-queue.ts';
import { detachKeysOf } from './stdio/detach-keys.ts';
import { clientGone, type InputEnd, pumpInput } from './stdio/pump.ts';
import type { AttachOptions, ClientStreams } from './types.ts';

/** Connects clients with the streams of containers, before or while they run. */
export class Attacher {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Checks at once; `run` joins synchronously, so that what is started after it misses nothing. */
  attach(
    ref: string,
    options: AttachOptions,
  ): { readonly tty: boolean; readonly openStdin: boolean; run(streams: ClientStreams): Promise<void> } {
    const detachKeys = detachKeysOf(options.detachKeys);
    const container = this.#engine.registry.resolve(ref);
    if (container.state.status === 'paused') throw attachToPaused(ref);
    if (container.state.status === 'restarting') throw attachToRestarting(ref);
    const { tty, openStdin } = container.config;
    return {
      tty,
      openStdin,
      run: (streams) => this.#run(container, options, detachKeys, streams),
    };
  }

  async #run(
    container: Container,
    options: AttachOptions,
    detachKeys: Uint8Array,
    streams: ClientStreams,
  ): Promise<void> {
    this.#engine.events.publish(container, 'attach');
    const instance = this.#engine.instances.of(container.id);
    const client = clientGone(streams);
    try {
      if (options.logs)
        return await this.#replay(container, instance, options, detachKeys, streams, client.gone);
      if (!options.stream) return;
      await this.#live(container, instance, options, detachKeys, streams, client.gone);
    } finally {
      client.stop();
    }
  }

  /**
   * With the log first, the log is all there is to read: following it gives what was and what comes, without a gap
   * and without anything twice.
   */
  async #replay(
    container: Container,
    instance: Instance,
    options: AttachOptions,
    detachKeys: Uint8Array,
    streams: ClientStreams,
    gone: Promise<void>,
  ): Promise<void> {
    const output = this.#copyLog(container, options, streams);
    if (!options.stream) return await Promise.race([output, gone]);
    const { session, task } = instance;
    // For its input alone: the output comes from the log.
    const hasInput = options.stdin && container.config.openStdin;
    const member = { queue: this.#queue(container, streams), stdout: false, stderr: false };
    using _member = hasInput ? session.join(member) : undefined;
    if (hasInput && task) await session.connect(task);
    const input = this.#input(container, instance, options, detachKeys, streams);
    await Promise.race([output, gone, ...(input ? [input] : [])]);
  }

  #queue({ id }: Container, streams: ClientStreams): ClientQueue {
    return new ClientQueue({
      write: (chunk) => streams.write(chunk),
      spillDirectory: containerPaths(this.#engine.dataRoot, id).directory,
    });
  }

  async #copyLog(container: Container, options: AttachOptions, streams: ClientStreams): Promise<void> {
    const { stdout, stderr, stream } = options;
    // Of a container that does not run, the client wants the run that it is about to start.
    const nextRun =
      stream && !isAlive(container.state)
        ? this.#engine.instances.of(container.id).waiters.add('next-exit', streams.signal)
        : undefined;
    const log = readContainerLog(
      this.#engine,
      container,
      { stdout, stderr, follow: stream, timestamps: false, details: false, signal: streams.signal },
      nextRun,
    );
    for await (const chunks of log) {
      for (const chunk of chunks) await streams.write(chunk);
    }
  }

  async #live(
    container: Container,
    instance: Instance,
    options: AttachOptions,
    detachKeys: Uint8Array,
    streams: ClientStreams,
    gone: Promise<void>,
  ): Promise<void> {
    const { session } = instance;
    const queue = this.#queue(container, streams);
    using _member = session.join({ queue, stdout: options.stdout, stderr: options.stderr });
    if (instance.task) await session.connect(instance.task);
    const input = this.#input(container, instance, options, detachKeys, streams);
    await Promise.race([queue.done, gone, ...(input ? [input] : [])]);
  }

  /** Resolves when the input's end ends the whole attachment; undefined: there is no input. */
  #input(
    container: Container,
    instance: Instance,
    options: AttachOptions,
    detachKeys: Uint8Array,
    streams: ClientStreams,
  ): Promise<void> | undefined {
    const { tty, openStdin, stdinOnce } = container.config;
    if (!options.stdin || !openStdin || !streams.input) return undefined;
    // Only then does the end of the input leave the client attached, waiting for the rest of the output.
    const closeInput = stdinOnce && !tty;
    const pumped = pumpInput(streams.input, instance.session, {
      detachKeys: tty ? detachKeys : undefined,
      closeInput,
      gone: streams.signal,
    });
    return pumped.then((end) => this.#inputEnded(container, end, closeInput));
  }

  #inputEnded(container: Container, end: InputEnd, staysAttached: boolean): Promise<void> | undefined {
    if (end === 'detached') this.#engine.events.publish(container, 'detach');
    if (end === 'detached' || !staysAttached) return undefined;
    return new Promise(() => {});
  }
}
