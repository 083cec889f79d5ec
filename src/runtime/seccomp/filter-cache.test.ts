import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import type { Seccomp, Spec } from '#oci';
import { FilterCache } from './filter-cache.ts';
import { BPF_ANNOTATION, handOverSeccomp } from './hand-over.ts';

let directory: string;
let compiled: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'filters-'));
  compiled = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const BPF = new Uint8Array([6, 0, 0, 0, 0, 0, 255, 127]);
const open = (libraryVersion = '1.0.0', compile = async () => BPF) =>
  new FilterCache({
    directory: join(directory, 'cache'),
    logger: silentLogger,
    libraryVersion,
    compile: (seccomp) => {
      compiled += 1;
      return compile.call(null, ...([seccomp] as unknown as []));
    },
  });
const seccomp: Seccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
};

test('FilterCache: compiles once, for concurrent callers and for the next daemon', async () => {
  const cache = open();
  const [first, second] = await Promise.all([cache.get(seccomp), cache.get(seccomp)]);
  expect(first?.bpf).toEqual(BPF);
  expect(second).toBe(first as never);
  expect(Buffer.from((await open().get(seccomp))?.bpf ?? []).equals(BPF)).toBe(true);
  expect(compiled).toBe(1);
  expect(statSync(join(directory, 'cache')).mode & 0o777).toBe(0o700);
});

test('FilterCache: another profile or library version is another filter', async () => {
  await open().get(seccomp);
  await open().get({ ...seccomp, defaultErrnoRet: 38 });
  await open('1.0.1').get(seccomp);
  expect(compiled).toBe(3);
});

test.each([
  ['truncated', BPF.subarray(0, 4)],
  ['other bytes', new Uint8Array(40)],
  ['empty', new Uint8Array()],
])('FilterCache: a damaged file is compiled anew (%s)', async (_, content) => {
  await open().get(seccomp);
  const [file = ''] = readdirSync(join(directory, 'cache'));
  writeFileSync(join(directory, 'cache', file), content);
  expect((await open().get(seccomp))?.bpf).toEqual(BPF);
  expect(compiled).toBe(2);
});

test('FilterCache: a profile that cannot be compiled, or only served by the runtime, gives nothing', async () => {
  const failing = open('1.0.0', async () => {
    throw new Error('no');
  });
  expect(await failing.get(seccomp)).toBeUndefined();
  expect(await failing.get(seccomp)).toBeUndefined();
  expect(compiled).toBe(2);
  expect(await open().get({ defaultAction: 'SCMP_ACT_NOTIFY' })).toBeUndefined();
  expect(compiled).toBe(2);
});

const spec = (change: Partial<Seccomp> = {}): Spec => ({
  ociVersion: '1.0.2',
  process: { user: { uid: 0, gid: 0 }, args: [], env: [], cwd: '/' },
  root: { path: '/' },
  mounts: [],
  annotations: { own: 'kept', [BPF_ANNOTATION]: 'forged' },
  linux: { namespaces: [], seccomp: { ...seccomp, ...change } },
});

test('handOverSeccomp: compiled in the annotation, flags stay in the JSON', async () => {
  const plain = await handOverSeccomp(spec(), open());
  expect(plain.annotations).toEqual({ own: 'kept', [BPF_ANNOTATION]: Buffer.from(BPF).toString('base64') });
  expect(plain.linux.seccomp).toBeUndefined();
  const flagged = await handOverSeccomp(spec({ flags: ['SECCOMP_FILTER_FLAG_LOG'] }), open());
  expect(flagged.linux.seccomp).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
  });
});

test('handOverSeccomp: JSON without x32 where filters are not taken; forged annotations go in any case', async () => {
  const json = await handOverSeccomp(
    spec({ architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'] }),
    undefined,
  );
  expect(json.annotations).toEqual({ own: 'kept' });
  expect(json.linux.seccomp?.architectures).toEqual(['SCMP_ARCH_X86_64']);
  const none = spec();
  delete none.linux.seccomp;
  expect((await handOverSeccomp(none, open())).annotations).toEqual({ own: 'kept' });
});
