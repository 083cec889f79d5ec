import { expect, test } from 'bun:test';
import type { Filters, ImagesPruneResponse } from '#api';
import { GantryError } from '#base';
import { runForTest } from '../testing/index.ts';

test('system prune: asks, and no is no error', async () => {
  const run = await runForTest(['system', 'prune', '-a', '--filter', 'label=x'], { stdin: 'n\n' });
  expect(run).toEqual({
    exitCode: 0,
    stdout: [
      'WARNING! This will remove:',
      '  - all stopped containers',
      '  - all networks not used by at least one container',
      '  - all images without at least one container associated to them',
      '  - all build cache',
      '',
      '  Items to be pruned will be filtered with:',
      '  - label=x',
      '',
      'Are you sure you want to continue? [y/N] ',
    ].join('\n'),
    stderr: '',
  });
});

test('system prune: removes every kind with the filter, also where the engine has no builder', async () => {
  const asked: Record<string, Filters | undefined> = {};
  const missing = new GantryError('not_found', 'Error response from daemon: page not found', {
    details: { status: 404, message: 'page not found' },
  });
  const run = await runForTest(['system', 'prune', '-f', '--filter', 'label=x'], {
    calls: {
      containers: {
        prune: async (filters) => {
          asked['containers'] = filters;
          return { ContainersDeleted: ['one', 'two'], SpaceReclaimed: 1000 };
        },
      },
      networks: { prune: async () => ({ NetworksDeleted: ['net'] }) },
      images: {
        prune: async (filters) => {
          asked['images'] = filters;
          const ImagesDeleted = [{ Untagged: 'a:1' }, { Deleted: 'sha256:1' }];
          return { ImagesDeleted, SpaceReclaimed: 500 } as ImagesPruneResponse;
        },
      },
      system: { pruneBuildCache: () => Promise.reject(missing) },
    },
  });
  expect(run).toEqual({
    exitCode: 0,
    stdout:
      'Deleted Containers:\none\ntwo\n\nDeleted Networks:\nnet\n\n' +
      'Deleted Images:\nuntagged: a:1\ndeleted: sha256:1\n\nTotal reclaimed space: 1.5kB\n',
    stderr: '',
  });
  expect(asked).toEqual({
    containers: { label: ['x'] },
    images: { label: ['x'], dangling: ['true'] },
  });
});

test('system prune: until does not go with volumes', async () => {
  const run = await runForTest(['system', 'prune', '--volumes', '--filter', 'until=1h']);
  expect([run.exitCode, run.stderr]).toEqual([
    1,
    'ERROR: The "until" filter is not supported with "--volumes"\n',
  ]);
});
