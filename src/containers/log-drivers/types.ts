import type { Sockets } from '#sys';
import type { LogConfig } from '../model.ts';

/** What a driver knows about the container whose output it gets. */
export interface LogInfo {
  readonly containerId: string;
  /** Without slash. */
  readonly containerName: string;
  /** The executable, then its arguments. */
  readonly command: readonly string[];
  /** With its algorithm: `sha256:…`. */
  readonly imageId: string;
  /** As the user named it. */
  readonly imageName: string;
  /** ISO time. */
  readonly created: string;
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly config: LogConfig['config'];
}

/** One line of output, or a piece of a line that is longer than 16 kB. */
export interface LogMessage {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with the writer's zone, when its first byte was written. */
  readonly time: string;
  /** Without newline; any bytes. Valid as long as the message. */
  readonly line: Buffer;
  /** Undefined: a whole line. `ordinal` counts from 1; all pieces of a line have its `id`. */
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}

/** A connection to where messages go. */
export interface LogSink {
  /**
   * Delivers from the front of `messages` (never empty) in order, and resolves with how many were taken, at least
   * one. Rejects when none could be taken; the sink is closed then. Gives up when `signal` aborts.
   */
  send(messages: readonly LogMessage[], signal: AbortSignal): Promise<number>;
  /** The other end has gone: what would be sent now would be lost. */
  readonly isClosed: boolean;
  close(): void;
}

/** How a driver reaches its sink. */
export interface SinkSettings {
  /** Rejects when the sink cannot be reached. */
  readonly connect: (signal: AbortSignal) => Promise<LogSink>;
  /** How long one `send` may take, in milliseconds. Default 10 s. */
  readonly sendTimeoutMs?: number;
  readonly retry?: RetryPolicy;
}

/** The growing pause between attempts to reach a sink. */
export interface RetryPolicy {
  /** Before the second attempt, in milliseconds. Default 100. */
  readonly firstMs?: number;
  /** Each pause is this much longer than the one before. Default 2. */
  readonly factor?: number;
  /** No pause is longer. Default 30 s. */
  readonly maxMs?: number;
  /** After so many failed attempts in a row the messages at hand are given up. Default: never. */
  readonly maxAttempts?: number;
}

/** What drivers need of the machine. */
export interface SinkHost {
  readonly sockets: Pick<Sockets, 'connectDatagram'>;
  readonly hostname: string;
  /** Shown in syslog headers. */
  readonly pid: number;
  /** Default `/run/systemd/journal/socket`. */
  readonly journalSocket?: string;
  /** Where a syslog daemon may listen, first found wins. Default `/dev/log`, `/var/run/syslog`, `/var/run/log`. */
  readonly syslogSockets?: readonly string[];
}

/** One log driver. */
export interface LogDriver {
  readonly options: readonly string[];
  /** Checks the values of its options. @throws `invalid_argument` with docker's texts. */
  readonly check: (config: LogConfig['config']) => void;
  /** Checks of this machine what must be there when a container is made. */
  readonly checkHost?: (config: LogConfig['config']) => void;
  /** Undefined: the spool is all there is. @throws `invalid_argument` for a bad tag template. */
  readonly sink?: (info: LogInfo, host: SinkHost) => SinkSettings;
}
