/** The door of `sys`: the kernel boundary. See README.md. */
export * from './constants.ts';
export { createSys } from './create-sys.ts';
export { errnoText } from './errno.ts';
export { SysError } from './errors.ts';
export { createFdOps } from './fd-ops.ts';
export { parseMountInfo } from './mountinfo.ts';
export { createMounts, PROPAGATION_FLAGS } from './mounts.ts';
export { pathFromBytes, pathToBytes } from './path-bytes.ts';
export { type SelfTestResult, selfTest } from './self-test.ts';
export type * from './types.ts';
