export { createFakeRuntime, FakeRuntime } from './fake-runtime.ts';
export { FakeStreams } from './fake-stream.ts';
export { FakeExec, FakeTask } from './fake-task.ts';
