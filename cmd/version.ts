export { VERSION } from '#cli';

/** What the build script put in; the fallbacks are for a run from source. */
declare global {
  var GANTRY_COMMIT: string | undefined;
  var GANTRY_BUILD_TIME: string | undefined;
}

export const COMMIT: string = globalThis.GANTRY_COMMIT ?? 'unknown';
/** ISO time. */
export const BUILD_TIME: string = globalThis.GANTRY_BUILD_TIME ?? new Date(0).toISOString();
