import { expect, test } from 'bun:test';
import type { Engine } from '../engine.ts';
import type { MountPoint } from '../model.ts';
import { unmountSources } from './run-mounts.ts';

test('an image that cannot be unmounted keeps neither other images nor volumes mounted', async () => {
  const ended: string[] = [];
  const unmount = (key: string) => {
    if (key === 'one') throw new Error('busy');
    ended.push(key);
  };
  const unmountFor = async (user: string) => void ended.push(user);
  const parts = { snapshotter: { unmount }, volumes: { unmountFor } } as unknown as Engine;
  const mounts = ['one', 'two'].map((key) => ({ type: 'image', image: { key } }) as unknown as MountPoint);
  const container = { id: 'c1', mounts } as unknown as Parameters<typeof unmountSources>[1];
  await expect(unmountSources(parts, container)).rejects.toThrow('busy');
  expect(ended).toEqual(['two', 'c1']);
});
