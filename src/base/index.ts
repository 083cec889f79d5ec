export { type Clock, sleep, systemClock } from './clock.ts';
export { throwIfAborted, withDeadline } from './deadline.ts';
export { DetachDetector, parseDetachKeys } from './detach-keys.ts';
export * from './errdefs.ts';
export {
  createEventBus,
  type EngineEvent,
  EVENT_TYPES,
  type EventBus,
  type EventType,
  type NewEvent,
} from './events.ts';
export { parseExactJson, stringifyExactJson } from './exact-json.ts';
export { compileGoRegexp, type GoRegexp, tolerantGoRegexp } from './go-regexp.ts';
export { createId, shortId } from './ids.ts';
export { hasLabel } from './labels.ts';
export {
  createLogger,
  LOG_LEVELS,
  type LogFields,
  type Logger,
  type LogLevel,
  maskSecrets,
  silentLogger,
} from './log.ts';
export { MeasuredSizes, type MeasuredSizesOptions } from './measured-sizes.ts';
export { type HeldLock, KeyedMutex, Semaphore } from './mutex.ts';
export { ownValue } from './own-value.ts';
export { setAside } from './set-aside.ts';
export { onSettled, settleAll } from './settlement.ts';
export { parseSignal, SIGNALS } from './signals.ts';
export {
  createTarStream,
  decodeName,
  encodeName,
  encodeTarHeader,
  readTar,
  type TarBody,
  type TarEntry,
  type TarEntryType,
  type TarHeader,
  type TarHeaderInit,
  type TarInput,
  type TarLimits,
  TarParser,
  type TarSegment,
  type TarSink,
  tarEnd,
  tarPadding,
  type WriteTarOptions,
  writeTar,
} from './tar/index.ts';
export {
  formatBinaryBytes,
  formatBytes,
  formatDurationNs,
  formatHumanDuration,
  parseBytes,
  parseDurationNs,
} from './units.ts';
export { askWorker, workerUrl } from './worker-call.ts';
