export { createFakeMachine, type FakeKernel, type FakeMachine } from './fake-kernel.ts';
export { createFakeNetworkService } from './fake-network-service.ts';
