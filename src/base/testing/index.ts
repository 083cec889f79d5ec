/** Fakes of `base`, for tests only. */
export { createManualClock, type ManualClock } from './manual-clock.ts';
