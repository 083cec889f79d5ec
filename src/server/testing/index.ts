export { createFakeBackends, echo, type FakeOptions, type FakeOverrides } from './backends.ts';
export { fullContainer } from './full-container.ts';
export {
  SAMPLE_IMAGE_ID,
  SAMPLE_INFO,
  SAMPLE_NETWORK_ID,
  SAMPLE_VERSION,
  sampleContainer,
  sampleImage,
  sampleNetwork,
} from './samples.ts';
export { type Conversation, serveFakes, type TestServer } from './serve.ts';
