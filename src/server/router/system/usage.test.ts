import { expect, test } from 'bun:test';
import type { Volume } from '#volumes';
import { createFakeBackends, serveFakes } from '../../testing/index.ts';

const volumeOf = (name: string, options: Volume['options']): Volume => ({
  ...{ name, driver: 'local', mountpoint: `/volumes/${name}/_data`, created: '', labels: {}, options },
  anonymous: false,
});

test('volumes with options are not counted: a share is not local, and its server may never answer', async () => {
  const list = () => [
    volumeOf('plain', {}),
    volumeOf('share', { type: 'nfs', device: ':/srv', o: 'addr=192.0.2.1' }),
  ];
  const usage = (name: string) => (name === 'share' ? new Promise<number>(() => {}) : Promise.resolve(1000));
  await using server = await serveFakes(createFakeBackends({ volumes: { list, usage } }));
  const reply = await fetch('http://engine/v1.44/system/df', { unix: server.path });
  const { Volumes } = (await reply.json()) as { Volumes: { Name: string; UsageData: { Size: number } }[] };
  expect(Volumes.map(({ Name, UsageData }) => [Name, UsageData.Size])).toEqual([['plain', 1000]]);
});
