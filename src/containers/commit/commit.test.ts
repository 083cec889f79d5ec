import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readTar } from '#base';
import {
  type ContainersFixture,
  configFixture,
  createContainersFixture,
  createRequestFixture,
} from '../testing/index.ts';
import { mergeConfigs, toImageConfig } from './image-config.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const OPTIONS = { pause: true, author: '', comment: '', changes: [] };
const create = async () => {
  const config = { cmd: ['sh', '-c', 'x'], env: ['A=1'] };
  return (await fixture.containers.create(createRequestFixture({ name: 'web', config }))).id;
};

test('commit: frozen meanwhile, layer without mount points, config, history, event', async () => {
  const { containers, snapshotter } = fixture;
  snapshotter.difference = {
    changes: [
      { path: '/etc', kind: 'modified' },
      { path: '/etc/hosts', kind: 'added' },
      { path: '/new', kind: 'added' },
    ],
    members: [
      { header: { path: 'etc/', type: 'directory' } },
      { header: { path: 'etc/hosts' }, body: '' },
      { header: { path: 'new', uid: 5 }, body: 'content' },
    ],
  };
  const id = await create();
  await containers.start(id);
  const changes = ['ENV B=2', 'CMD ["true"]'];
  const made = await containers.commit('web', {
    ...OPTIONS,
    author: 'Ann',
    comment: 'why',
    changes,
    reference: 'mine:1',
  });
  const [commit] = fixture.commits;
  expect(commit?.options).toMatchObject({ reference: 'mine:1' });
  expect(commit?.config).toMatchObject({
    author: 'Ann',
    comment: 'why',
    container: id,
    config: { Cmd: ['true'], Env: ['A=1', 'B=2'] },
    history: [{ created_by: 'sh -c x', author: 'Ann', comment: 'why' }],
  });
  const members: string[] = [];
  for await (const { header } of readTar([commit?.layer ?? new Uint8Array()]))
    members.push(`${header.path} ${header.uid}`);
  expect(members).toEqual(['new 5']);
  expect(fixture.actions()).toEqual(['create', 'start', 'pause', 'commit', 'unpause']);
  const event = fixture.bus.history().find(({ action }) => action === 'commit');
  expect(event?.attributes).toMatchObject({ comment: 'why', imageID: made.id, imageRef: 'mine:1' });
});

test('commit: a container that does not run is not frozen; without changes there is no layer', async () => {
  await create();
  await fixture.containers.commit('web', OPTIONS);
  expect(fixture.commits[0]?.options.layerTar).toBeUndefined();
  expect(fixture.commits[0]?.config.history?.at(-1)).toMatchObject({ empty_layer: true });
  expect(fixture.actions()).toEqual(['create', 'commit']);
});

test('commit: bad changes and unknown containers are refused before anything is frozen', async () => {
  await fixture.containers.start(await create());
  const bad = fixture.containers.commit('web', { ...OPTIONS, changes: ['RUN x'] });
  await expect(bad).rejects.toThrow();
  await expect(fixture.containers.commit('ghost', OPTIONS)).rejects.toThrow('No such container: ghost');
  expect(fixture.actions()).toEqual(['create', 'start']);
});

test('mergeConfigs: the command stays only where there is no entrypoint', () => {
  const own = toImageConfig(configFixture({ cmd: ['a'], entrypoint: ['e'], labels: { x: '1' }, user: 'u' }));
  expect(mergeConfigs({ Entrypoint: ['new'], Labels: { y: '2' } }, own)).toEqual({
    Entrypoint: ['new'],
    Labels: { x: '1', y: '2' },
    User: 'u',
  });
  expect(mergeConfigs({ Env: ['A=1'] }, { Env: ['A=0', 'B=0'], Cmd: ['a'] })).toEqual({
    Env: ['A=1', 'B=0'],
    Cmd: ['a'],
  });
});
