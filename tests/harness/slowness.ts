/**
 * How many times slower this machine is than the ones that limits of time are made for: 1, or `GANTRY_TEST_SLOWNESS` where
 * a processor is emulated. Limits are multiplied by it; what judges speed is left out where it is not 1.
 */
export const SLOWNESS = Number(process.env['GANTRY_TEST_SLOWNESS'] ?? 1);
