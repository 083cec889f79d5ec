import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { createSys } from '#sys';
import {
  Forwarders,
  type ForwardersOptions,
  resolveLogging,
  type SinkHost,
  SpoolRotator,
} from '../../../src/containers/log-drivers/index.ts';

/** What the drivers under test get to know about their container. */
const CONTAINER_ID = 'c0ffee'.padEnd(64, '0');

/** A container as log drivers see it: a spool that grows, a configuration, and forwarders of its own. */
export class LoggedContainer implements AsyncDisposable {
  readonly spoolPath: string;
  readonly #directory: string;
  readonly #host: SinkHost;
  readonly #options: Partial<ForwardersOptions>;
  forwarders: Forwarders;
  #written = 0;

  constructor(
    directory: string,
    name = 'c',
    host: Partial<SinkHost> = {},
    options: Partial<ForwardersOptions> = {},
  ) {
    this.#directory = join(directory, name);
    mkdirSync(this.#directory, { recursive: true });
    this.spoolPath = join(this.#directory, 'log');
    appendFileSync(this.spoolPath, '');
    this.#host = { sockets: createSys().sockets, hostname: 'testhost', pid: 4711, ...host };
    this.#options = options;
    this.forwarders = new Forwarders({ logger: silentLogger, ...options });
  }

  /** A successor of the daemon. */
  async restartDaemon(): Promise<void> {
    await this.forwarders.close();
    this.forwarders = new Forwarders({ logger: silentLogger, ...this.#options });
  }

  async start(type: string, config: Record<string, string>): Promise<void> {
    const logging = resolveLogging({ type, config });
    if (!logging.sink) throw new Error(`${type} has no sink`);
    const info = {
      containerId: CONTAINER_ID,
      containerName: 'web',
      command: ['sh'],
      imageId: 'sha256:1234567890abcdef',
      imageName: 'busybox',
      created: '2026-01-01T00:00:00Z',
      env: ['STAGE=test'],
      labels: { team: 'a' },
      config,
    };
    await this.forwarders.start('c', {
      driver: type,
      spoolPath: this.spoolPath,
      positionPath: join(this.#directory, 'position'),
      sink: logging.sink(info, this.#host),
      maxLagBytes: logging.maxLagBytes,
    });
  }

  /** Appends `count` numbered lines as conmon would, and returns them. */
  write(count: number, size = 0): string[] {
    const lines = Array.from({ length: count }, () => `line ${this.#written++} ${'x'.repeat(size)}`);
    this.writeEntries(lines.map((line) => ['F', line]));
    return lines;
  }

  writeEntries(entries: readonly (readonly [flag: 'F' | 'P', text: string, stream?: string])[]): void {
    const time = '2026-01-02T03:04:05.123456789+00:00';
    const text = entries.map(([flag, line, stream = 'stdout']) => `${time} ${stream} ${flag} ${line}\n`);
    appendFileSync(this.spoolPath, text.join(''));
  }

  rotator(maxFiles: number): SpoolRotator {
    return new SpoolRotator({
      path: this.spoolPath,
      maxFiles,
      compress: true,
      guard: () => this.forwarders.guard('c'),
      reopen: async () => writeFileSync(this.spoolPath, ''),
      logger: silentLogger,
    });
  }

  /** The container ends; resolves when everything is delivered. */
  async finish(): Promise<void> {
    this.forwarders.complete('c');
    await this.forwarders.done('c');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forwarders.close();
  }
}
