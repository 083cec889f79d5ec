import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatLabel, tryParseLabel } from '#runtime';
import type { HostConfig } from '../model.ts';
import { relabelMount } from '../mounts/relabel.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from '../testing/index.ts';
import { chooseLabels } from './selinux.ts';

const RECORDED = {
  'sys/fs/selinux/enforce': '1',
  'etc/selinux/config': 'SELINUXTYPE=targeted\n',
  'etc/selinux/targeted/contexts/lxc_contexts':
    'process = "system_u:system_r:container_t:s0"\nfile = "system_u:object_r:container_file_t:s0"\n',
};

let root: string;
let fixture: ContainersFixture;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gantry-labels-'));
  for (const [path, text] of Object.entries(RECORDED)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  fixture = await createContainersFixture({ hostRoot: root, defaults: { selinux: true } });
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

async function create(hostConfig: Partial<HostConfig> = {}) {
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  return fixture.containers.get(id);
}
const level = (label: string | undefined) => tryParseLabel(label ?? '')?.level;

test('a container: process and files have a pair of categories that is theirs', async () => {
  const one = await create();
  expect(one.processLabel).toMatch(/^system_u:system_r:container_t:s0:c\d+,c\d+$/);
  expect(one.mountLabel).toBe(`system_u:object_r:container_file_t:${level(one.processLabel)}`);
  await fixture.containers.start(one.id);
  const { spec } = fixture.runtime.task(one.id).options;
  expect(spec.process.selinuxLabel).toBe(one.processLabel);
  expect(spec.linux.mountLabel).toBe(one.mountLabel);
  const others = await Promise.all(Array.from({ length: 20 }, () => create()));
  expect(new Set([one, ...others].map(({ processLabel }) => processLabel)).size).toBe(21);
});

test('a successor knows which pairs are taken', async () => {
  const { id, processLabel } = await create();
  const successor = await fixture.successor();
  expect(successor.get(id).processLabel).toBe(processLabel);
});

test('no daemon option, no labels: options are accepted silently', async () => {
  await using plain = await createContainersFixture({ hostRoot: root });
  const hostConfig = { securityOpt: ['label=type:odd', 'label=nonsense'] };
  const { id } = await plain.containers.create(createRequestFixture({ hostConfig }));
  expect(plain.containers.get(id).processLabel).toBeUndefined();
});

test('label options: each part, disable, nonsense', async () => {
  const securityOpt = ['user:u', 'role:r', 'type:t', 'level:s0:c1,c2', 'filetype:f'].map((o) => `label=${o}`);
  const given = await create({ securityOpt });
  expect([given.processLabel, given.mountLabel]).toEqual(['u:r:t:s0:c1,c2', 'u:object_r:f:s0:c1,c2']);
  const disabled = await create({ securityOpt: ['label=disable'] });
  expect([disabled.processLabel, disabled.mountLabel]).toEqual([
    '',
    'system_u:object_r:container_file_t:s0:c1022,c1023',
  ]);
  await expect(create({ securityOpt: ['label=odd'] })).rejects.toThrow(
    `bad label option "odd", valid options`,
  );
  await expect(create({ securityOpt: ['label=odd:x'] })).rejects.toThrow('bad label option "odd"');
  await expect(create({ securityOpt: ['label=type:a,b'] })).rejects.toThrow('invalid SELinux label');
});

test.each<Partial<HostConfig>>([{ privileged: true }, { ipcMode: 'host' }, { pidMode: 'host' }])(
  'with %j processes have no label',
  async (hostConfig) => {
    const { id, processLabel, hostConfig: shown } = await create(hostConfig);
    expect([processLabel, shown.securityOpt]).toEqual(['', ['label=disable']]);
    await fixture.containers.start(id);
    expect(fixture.runtime.task(id).options.spec.process.selinuxLabel).toBeUndefined();
  },
);

test('who shares memory or processes has the label of whom it shares them with', async () => {
  const [one, two] = [await create({ ipcMode: 'shareable' }), await create()];
  const guest = await create({ ipcMode: `container:${one.id}` });
  expect(guest.processLabel).toBe(one.processLabel);
  const both = { ipcMode: `container:${one.id}`, pidMode: `container:${two.id}` };
  await expect(create(both)).rejects.toThrow("--ipc and --pid containers SELinux labels aren't the same");
  expect((await create({ ...both, securityOpt: ['label=disable'] })).processLabel).toBe('');
});

test('chooseLabels: pairs run out, but never twice', () => {
  const host = { process: tryParseLabel('u:r:t:s0'), file: tryParseLabel('u:r:f:s0') };
  if (!host.process || !host.file) throw new Error('broken test');
  const labels = { process: host.process, file: host.file };
  const all = Array.from({ length: 1024 }, (_, high) =>
    Array.from({ length: high }, (__, low) => `s0:c${low},c${high}`),
  ).flat();
  const taken = all
    .filter((pair) => pair !== 's0:c0,c1')
    .map((text) => formatLabel({ ...labels.process, level: text }));
  expect(() => chooseLabels(labels, [], [...taken, 'u:r:t:s0:c0,c1'])).toThrow(
    'no SELinux categories are left',
  );
});

const LABEL = 'system_u:object_r:container_file_t:s0:c5,c9';
const labelOf = (path: string) => {
  const value = fixture.sys.files.getXattr(path, 'security.selinux');
  return value && Buffer.from(value).toString();
};

test('relabelMount: Z for this container, z for all, neither for nobody; links lead nowhere', () => {
  const source = join(root, 'data');
  mkdirSync(join(source, 'deep'), { recursive: true });
  writeFileSync(join(source, 'deep/file'), '');
  writeFileSync(join(root, 'outside'), '');
  symlinkSync(join(root, 'outside'), join(source, 'link'));
  relabelMount(fixture.sys, { type: 'bind', source, mode: 'ro' }, LABEL);
  expect(labelOf(source)).toBeUndefined();
  relabelMount(fixture.sys, { type: 'bind', source, mode: 'ro,Z' }, LABEL);
  for (const path of ['', 'deep', 'deep/file']) expect(labelOf(join(source, path))).toBe(`${LABEL}\0`);
  expect(labelOf(join(root, 'outside'))).toBeUndefined();
  const shared = 'system_u:object_r:container_file_t:s0\0';
  relabelMount(fixture.sys, { type: 'bind', source: join(source, 'deep/file'), mode: 'z' }, LABEL);
  expect([labelOf(join(source, 'deep/file')), labelOf(source)]).toEqual([shared, `${LABEL}\0`]);
  relabelMount(fixture.sys, { type: 'volume', source, mode: '' }, LABEL);
  expect(labelOf(source)).toBe(shared);
  relabelMount(fixture.sys, { type: 'bind', source: '/', mode: 'Z' }, '');
});

test.each(['/', '/etc', '/usr/', '/var/lib', '/home/../etc'])('relabelMount: %s is refused', (source) => {
  expect(() => relabelMount(fixture.sys, { type: 'bind', source, mode: 'Z' }, LABEL)).toThrow(
    /relabeling of .* is not allowed/,
  );
});
