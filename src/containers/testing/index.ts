export { createDirectorySnapshotter, type DirectorySnapshotter } from './directory-snapshotter.ts';
export {
  type ContainersFixture,
  type ContainersFixtureOptions,
  createContainersFixture,
  createFakeClient,
  type FakeClient,
} from './fixture.ts';
export {
  configFixture,
  containerFixture,
  createRequestFixture,
  execConfigFixture,
  hostConfigFixture,
} from './fixtures.ts';
