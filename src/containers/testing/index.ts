export {
  configFixture,
  containerFixture,
  createRequestFixture,
  hostConfigFixture,
  memoryMetadata,
} from './fixtures.ts';
