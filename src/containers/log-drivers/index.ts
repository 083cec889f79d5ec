/**
 * Log drivers: where a container's output goes besides its file.
 *
 * Terms: the *spool* is the file conmon writes (k8s-file format) with its rotated and compressed predecessors, the same
 * for every driver; `logs` reads it, whatever the driver. A *driver* is a name with options. A *sink* is where a driver
 * sends messages (syslog, journald, fluentd; `json-file` and `local` have none, for them the spool is all). A *message*
 * is a line, or a piece of at most 16 kB of a longer one. A *forwarder* reads one spool and delivers to one sink. The
 * *position* is up to where that has been done, kept in a file beside the spool. The *lag* is what is still to do.
 *
 * Invariants:
 * - The container is never blocked: conmon writes to disk, whatever the sink does. Neither is a start: a sink that cannot
 *   be reached is tried again with growing pauses, and the daemon's log says so once.
 * - At least once, in order: the position moves when the sink has taken a message (fluentd with acknowledgement: has
 *   confirmed it). After a crash the last messages may come twice, none is left out. TCP and UDP syslog cannot tell what
 *   a dying peer has read.
 * - Memory is bounded: a forwarder holds one block (64 KiB) of messages. Every step towards a sink has a deadline, and
 *   forwarders share nothing, so a dead sink holds up nobody else.
 * - *Blocking* (default): nothing is dropped. Rotation keeps files that are not delivered beyond `max-file`, until the whole
 *   spool takes more than a cap (1 GiB); then the oldest file goes, its undelivered lines are counted, and one line in
 *   the sink says how many they were.
 * - *Non-blocking*: when the lag exceeds `max-buffer-size` (1 MB) the oldest lines are passed over, never the newest, and
 *   one line in the sink stands for them. Rotation is not held up.
 *
 * Wiring: `resolveLogging` at create (checks, with `checkLogHost`) and start; `forwarders.start` when a run begins or is adopted,
 * `complete` when its log is whole, `stop` before removal; `SpoolRotator` with `forwarders.guard(id)` in place of plain
 * renames; `listSpool`, `openSpoolFile` or `SpoolCursor` wherever files of a spool are read.
 */

export type { ForwarderStatus } from './forward/forwarder.ts';
export {
  type ForwardedContainer,
  Forwarders,
  type ForwardersOptions,
} from './forward/forwarders.ts';
export { extraAttributes, logInfoOf } from './info.ts';
export { checkLogHost, LOG_DRIVER_NAMES, type Logging, resolveLogging } from './registry.ts';
export type { SpoolRotation } from './rotation.ts';
export { SpoolCursor, type SpoolLine, type SpoolPosition } from './spool/cursor.ts';
export { listSpool, type SpoolFile, spoolDiskBytes } from './spool/files.ts';
export { type OpenSpoolFile, openSpoolFile } from './spool/open.ts';
export { type SpoolGuard, SpoolRotator, type SpoolRotatorOptions } from './spool/rotator.ts';
export { scanSpool } from './spool/scan.ts';
export { logTag } from './tag.ts';
export type {
  LogDriver,
  LogInfo,
  LogMessage,
  LogSink,
  RetryPolicy,
  SinkHost,
  SinkSettings,
} from './types.ts';
