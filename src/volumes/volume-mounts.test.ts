import { describe, expect, test } from 'bun:test';
import { silentLogger } from '#base';
import { createFakeSys } from '#sys/testing';
import type { MountPlan } from './mount-plan.ts';
import type { Volume } from './types.ts';
import { VolumeMounts } from './volume-mounts.ts';

const volumeOf = (name: string, options: Volume['options']): Volume => ({
  ...{ name, driver: 'local', mountpoint: `/volumes/${name}/_data`, created: '', labels: {}, options },
  anonymous: false,
});
const memory = volumeOf('memory', { type: 'tmpfs', device: 'tmpfs' });
const disk = volumeOf('disk', { type: 'ext4', device: '/dev/x', o: 'password=geheim' });
const plain = volumeOf('plain', {});
const all = [memory, disk, plain];
const find = (name: string) => all.find((volume) => volume.name === name);

function open(mountAside = async (_: MountPlan) => {}) {
  const sys = createFakeSys();
  const make = () => new VolumeMounts({ mounts: sys.mounts, logger: silentLogger, mountAside });
  return { sys, make, mounts: make(), targets: () => sys.mounts.list().map(({ target }) => target) };
}

test('mounted once for all users, unmounted after the last', async () => {
  const { mounts, targets } = open();
  await Promise.all(['a', 'b', 'a'].map((user) => mounts.mount(memory, user)));
  expect(targets()).toEqual([memory.mountpoint]);
  await mounts.release('a', find);
  await mounts.release('a', find);
  expect(targets()).toEqual([memory.mountpoint]);
  await mounts.release('b', find);
  expect(targets()).toEqual([]);
});

test('a volume without options is not mounted', async () => {
  const { mounts, targets } = open();
  await mounts.mount(plain, 'a');
  expect(targets()).toEqual([]);
});

test('a failed unmount is tried again with the next release', async () => {
  const { sys, mounts, targets } = open();
  await mounts.mount(memory, 'a');
  sys.failNext('mounts.unmount', new Error('busy'));
  await expect(mounts.release('a', find)).rejects.toThrow('busy');
  expect(targets()).toEqual([memory.mountpoint]);
  await mounts.release('a', find);
  expect(targets()).toEqual([]);
});

test('a failed unmount does not keep the other volumes of its user', async () => {
  const { sys, mounts, targets } = open();
  const other = volumeOf('other', memory.options);
  await mounts.mount(memory, 'a');
  await mounts.mount(other, 'a');
  sys.failNext('mounts.unmount', new Error('busy'));
  const release = () => mounts.release('a', (name) => (name === 'other' ? other : find(name)));
  await expect(release()).rejects.toThrow('busy');
  expect(targets()).toEqual([memory.mountpoint]);
  await release();
  expect(targets()).toEqual([]);
});

test('a successor keeps what is used, unmounts the rest, and mounts what is missing', async () => {
  const { sys, mounts, make, targets } = open();
  const other = volumeOf('other', memory.options);
  await mounts.mount(memory, 'a');
  await mounts.mount(other, 'b');
  const successor = make();
  successor.restore(new Map([['a', ['memory', 'plain', 'gone']]]), [...all, other]);
  expect(targets()).toEqual([memory.mountpoint]);
  sys.mounts.unmount(memory.mountpoint);
  await successor.mount(memory, 'c');
  expect(targets()).toEqual([memory.mountpoint]);
  await successor.release('a', find);
  expect(targets()).toEqual([memory.mountpoint]);
  await successor.release('c', find);
  expect(targets()).toEqual([]);
});

test('what fails has a text without passwords, and no user', async () => {
  let isBroken = true;
  const { mounts } = open(async ({ steps }) => {
    if (isBroken) throw new Error(`mount /dev/x, data: ${steps[0]?.call.data}: no such device`);
  });
  await expect(mounts.mount(disk, 'a')).rejects.toThrow(
    "error while mounting volume '/volumes/disk/_data': failed to mount local volume: mount /dev/x, data: password=********: no such device",
  );
  isBroken = false;
  await mounts.mount(disk, 'a');
});

test('when a later step fails the first is undone', async () => {
  const { sys, mounts, targets } = open();
  const readOnly = volumeOf('ro', { type: 'none', device: '/x', o: 'bind,ro' });
  const { mount } = sys.mounts;
  let calls = 0;
  sys.mounts.mount = (options) => {
    calls += 1;
    if (calls === 1) throw new Error('no');
    mount.call(sys.mounts, options);
  };
  await expect(mounts.mount(readOnly, 'a')).rejects.toThrow(
    'remount-ro /volumes/ro/_data, flags: 0x1021: no',
  );
  await mounts.release('a', find);
  expect(calls).toBe(1);
  expect(targets()).toEqual([]);
});

test('a volume that goes takes all mounts below it along', async () => {
  const { sys, mounts, targets } = open();
  await mounts.mount(memory, 'a');
  sys.mounts.mount({ source: 'x', target: `${memory.mountpoint}/deeper`, fstype: 'tmpfs' });
  sys.mounts.mount({ source: 'x', target: `${memory.mountpoint}-not`, fstype: 'tmpfs' });
  mounts.forget(memory);
  expect(targets()).toEqual([`${memory.mountpoint}-not`]);
});

test('one that waits for its server holds up nobody else', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { mounts, targets } = open(() => promise);
  const waiting = mounts.mount(disk, 'a');
  await mounts.mount(memory, 'b');
  expect(targets()).toEqual([memory.mountpoint]);
  await mounts.release('b', find);
  expect(targets()).toEqual([]);
  resolve();
  await waiting;
});

describe('a wait that is given up', () => {
  /** A server that answers late: then it is mounted. */
  const openSlow = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const opened = open(async () => {
      begun.resolve();
      await promise;
      opened.sys.mounts.mount({ source: 'x', target: disk.mountpoint, fstype: 'ext4' });
    });
    return { ...opened, answer: resolve, begun: begun.promise };
  };

  test('ends at once; what is mounted late is unmounted, and the volume is in use until then', async () => {
    const { mounts, targets, answer, begun } = openSlow();
    const waiting = mounts.mount(disk, 'a');
    await begun;
    using _refused = mounts.giveUp('a');
    await expect(waiting).rejects.toMatchObject({ code: 'canceled' });
    await mounts.release('a', find);
    expect(mounts.waitersOf('disk')).toEqual(['a']);
    answer();
    while (mounts.waitersOf('disk').length > 0) await Promise.resolve();
    expect(targets()).toEqual([]);
  });

  test('is none of the business of others, who get the volume', async () => {
    const { mounts, targets, answer, begun } = openSlow();
    const given = mounts.mount(disk, 'a').catch((error) => error.code);
    const other = mounts.mount(disk, 'b');
    await begun;
    using _refused = mounts.giveUp('a');
    expect(await given).toBe('canceled');
    answer();
    await other;
    expect(targets()).toEqual([disk.mountpoint]);
    await mounts.release('b', find);
    expect(targets()).toEqual([]);
  });

  test('is not begun anew before the refusal ends', async () => {
    const { mounts } = open();
    const refused = mounts.giveUp();
    await expect(mounts.mount(memory, 'a')).rejects.toThrow(
      "error while mounting volume '/volumes/memory/_data'",
    );
    refused[Symbol.dispose]();
    await mounts.mount(memory, 'a');
  });
});
