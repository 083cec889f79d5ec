/** Fakes and contract suites of `sys`, for tests only. */
export { OverlayMounter } from '../overlay.ts';
export type { FakeCall } from './call-log.ts';
export { createFakeSys, type FakeSys, type FakeSysOptions } from './fake-sys.ts';
export { describeSysContract, type SysUnderTest } from './suite.ts';
