import { expect, test } from 'bun:test';
import type { Seccomp } from '#oci';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from '../spec/capabilities.ts';
import { resolveSeccomp } from './resolve.ts';

const host = { architecture: 'x64', kernelRelease: '6.1.0-test' };

/** The rules of one call that have `action`. */
const rulesOf = (seccomp: Seccomp | undefined, name: string, action = 'SCMP_ACT_ALLOW') =>
  (seccomp?.syscalls ?? []).filter((rule) => rule.names.includes(name) && rule.action === action);
const resolve = (capabilities: readonly string[], on = host) =>
  resolveSeccomp({ kind: 'default' }, capabilities, on);
const custom = (profile: unknown, on = host) =>
  resolveSeccomp(
    { kind: 'custom', profile: typeof profile === 'string' ? profile : JSON.stringify(profile) },
    ['CAP_KILL'],
    on,
  );

test('resolveSeccomp: unconfined is no filter, and so is an empty profile', () => {
  expect(resolveSeccomp({ kind: 'unconfined' }, [], host)).toBeUndefined();
  expect(custom({})).toBeUndefined();
});

test('resolveSeccomp: the default profile without and with CAP_SYS_ADMIN', () => {
  const usual = resolve(DEFAULT_CAPABILITIES);
  expect(usual).toMatchObject({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  });
  expect(rulesOf(usual, 'mount')).toEqual([]);
  expect(rulesOf(usual, 'chroot')).toHaveLength(1);
  expect(rulesOf(usual, 'clone')[0]?.args).toEqual([
    { index: 0, op: 'SCMP_CMP_MASKED_EQ', value: 0x7e020000, valueTwo: 0 },
  ]);
  expect(rulesOf(usual, 'clone3', 'SCMP_ACT_ERRNO')[0]?.errnoRet).toBe(38);
  const admin = resolve(ALL_CAPABILITIES);
  expect(rulesOf(admin, 'mount')).toHaveLength(1);
  expect(rulesOf(admin, 'clone')[0]?.args).toBeUndefined();
  expect(rulesOf(admin, 'clone3', 'SCMP_ACT_ERRNO')).toEqual([]);
});

test('resolveSeccomp: what only misses a capability is known and denied; what is allowed otherwise is not', () => {
  const denied = resolve([])?.syscalls?.at(-1);
  expect(denied).toMatchObject({ action: 'SCMP_ACT_ERRNO', errnoRet: 1 });
  expect(denied?.names).toContain('set_mempolicy_home_node');
  expect(denied?.names).not.toContain('ptrace');
  expect(denied?.names).not.toContain('clone');
});

test('resolveSeccomp: architecture and kernel decide', () => {
  expect(rulesOf(resolve([]), 'arch_prctl')).toHaveLength(1);
  const arm = resolve([], { ...host, architecture: 'arm64' });
  expect(arm?.architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  expect(rulesOf(arm, 'arch_prctl')).toEqual([]);
  expect(rulesOf(arm, 'cacheflush')).toHaveLength(1);
  expect(rulesOf(resolve([]), 'ptrace')).toHaveLength(1);
  expect(rulesOf(resolve([], { ...host, kernelRelease: '4.7.0' }), 'ptrace')).toEqual([]);
});

test('resolveSeccomp: the older profile form, includes and excludes', () => {
  const seccomp = custom({
    defaultAction: 'SCMP_ACT_KILL',
    architectures: ['SCMP_ARCH_X86_64'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [
      { name: 'read', action: 'SCMP_ACT_ALLOW', args: null },
      { names: ['kill'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_KILL'] } },
      { names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['open'], action: 'SCMP_ACT_ALLOW', excludes: { caps: ['CAP_KILL'] } },
      { names: ['close'], action: 'SCMP_ACT_ALLOW', excludes: { arches: ['amd64'] } },
      { names: ['stat'], action: 'SCMP_ACT_ALLOW', excludes: { minKernel: '6.0' } },
    ],
  });
  expect(seccomp).toEqual({
    defaultAction: 'SCMP_ACT_KILL',
    architectures: ['SCMP_ARCH_X86_64'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW' },
      { names: ['kill'], action: 'SCMP_ACT_ALLOW' },
    ],
  });
});

test.each([
  ['{', 'Decoding seccomp profile failed'],
  ['[]', '"profile" is not an object'],
  ['{"defaultAction": 1}', '"defaultAction" is not a string'],
  ['{"syscalls": {}}', '"syscalls" is not a list'],
  ['{"syscalls": [{"name": "a", "names": ["b"]}]}', "both 'name' and 'names' are specified"],
  [
    '{"defaultAction": "x", "architectures": ["a"], "archMap": [{"architecture": "b"}]}',
    "both 'architectures' and 'archMap'",
  ],
  [
    '{"syscalls": [{"names": ["a"], "args": [{"index": -1, "value": 0, "op": "x"}]}]}',
    '"index" is not a non-negative integer',
  ],
  [
    '{"syscalls": [{"names": ["a"], "args": [{"index": 0, "value": 18446744073709551616, "op": "x"}]}]}',
    '"value" does not fit into 64 bits',
  ],
])('resolveSeccomp: refuses %s', (profile, text) => {
  expect(() => custom(profile)).toThrow(text);
});
