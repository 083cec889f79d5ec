/** What the build script puts in. */
declare global {
  var GANTRY_VERSION: string | undefined;
  var GANTRY_COMMIT: string | undefined;
  var GANTRY_BUILD_TIME: string | undefined;
}

/** Version of this client; the fallback is for a run from source. */
export const VERSION: string = globalThis.GANTRY_VERSION ?? '0.1.0-dev';

/** Undefined in a run from source. */
export const COMMIT: string | undefined = globalThis.GANTRY_COMMIT;

/** ISO time; undefined in a run from source. */
export const BUILD_TIME: string | undefined = globalThis.GANTRY_BUILD_TIME;
