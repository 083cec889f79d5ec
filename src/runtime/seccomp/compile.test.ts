import { expect, test } from 'bun:test';
import { release } from 'node:os';
import type { Seccomp } from '#oci';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from '../spec/capabilities.ts';
import { evaluateFilter } from '../testing/bpf-machine.ts';
import { compileSeccomp } from './compile.ts';
import { libseccompVersion } from './libseccomp.ts';
import { resolveSeccomp } from './resolve.ts';

const X86_64 = 0xc000_003e;
const I386 = 0x4000_0003;
const X32_BIT = 0x4000_0000;
const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;

const host = { architecture: 'x64', kernelRelease: release() };
const compiled = new Map<string, Uint8Array>();
function filterFor(capabilities: readonly string[]): Uint8Array {
  const key = capabilities.join();
  const bpf =
    compiled.get(key) ?? compileSeccomp(resolveSeccomp({ kind: 'default' }, capabilities, host) as Seccomp);
  compiled.set(key, bpf);
  return bpf;
}
const answer = (
  nr: number,
  args: readonly bigint[] = [],
  arch = X86_64,
  capabilities = DEFAULT_CAPABILITIES,
) => evaluateFilter(filterFor(capabilities), { nr, arch, args });

// Call numbers of x86_64 (syscall(2) tables).
const READ = 0;
const SOCKET = 41;
const CLONE = 56;
const MOUNT = 165;
const PERSONALITY = 135;
const KEYCTL = 250;
const USERFAULTFD = 323;
const IO_URING_SETUP = 425;
const CLONE3 = 435;
const SET_MEMPOLICY_HOME_NODE = 450;

test.if(process.arch === 'x64')(
  'compileSeccomp: the default profile allows what programs need and refuses the rest',
  () => {
    expect(answer(READ)).toBe(ALLOW);
    expect(answer(MOUNT)).toBe(EPERM);
    expect(answer(KEYCTL)).toBe(EPERM);
    expect(answer(USERFAULTFD)).toBe(EPERM);
    expect(answer(IO_URING_SETUP)).toBe(EPERM);
  },
);

test.if(process.arch === 'x64')(
  'compileSeccomp: calls newer than all known ones answer ENOSYS, on each architecture',
  () => {
    expect(answer(SET_MEMPOLICY_HOME_NODE)).toBe(EPERM);
    expect(answer(1000)).toBe(ENOSYS);
    expect(answer(0xffff_ffff)).toBe(ENOSYS);
    expect(answer(1000, [], I386)).toBe(ENOSYS);
    expect(answer(3, [], I386)).toBe(ALLOW);
    expect(answer(X32_BIT + 1000)).toBe(ENOSYS);
    expect(answer(X32_BIT + READ)).toBe(ALLOW);
    expect(answer(X32_BIT + MOUNT)).toBe(EPERM);
  },
);

test.if(process.arch === 'x64')('compileSeccomp: arguments decide', () => {
  expect(answer(SOCKET, [2n])).toBe(ALLOW);
  expect(answer(SOCKET, [38n])).toBe(EPERM);
  expect(answer(SOCKET, [40n])).toBe(EPERM);
  expect(answer(SOCKET, [44n])).toBe(ALLOW);
  expect(answer(PERSONALITY, [0x20000n])).toBe(ALLOW);
  expect(answer(PERSONALITY, [0x1234n])).toBe(EPERM);
  expect(answer(CLONE, [0x11n])).toBe(ALLOW);
  expect(answer(CLONE, [0x1000_0011n])).toBe(EPERM);
  expect(answer(CLONE3)).toBe(ENOSYS);
});

test.if(process.arch === 'x64')('compileSeccomp: capabilities open calls', () => {
  expect(answer(MOUNT, [], X86_64, ALL_CAPABILITIES)).toBe(ALLOW);
  expect(answer(CLONE, [0x1000_0011n], X86_64, ALL_CAPABILITIES)).toBe(ALLOW);
  expect(answer(CLONE3, [], X86_64, ALL_CAPABILITIES)).toBe(ALLOW);
});

test('compileSeccomp: refuses what it cannot express', () => {
  expect(() => compileSeccomp({ defaultAction: 'SCMP_ACT_WHAT' })).toThrow(
    'invalid seccomp action: SCMP_ACT_WHAT',
  );
  expect(() =>
    compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_NOPE'] }),
  ).toThrow('unknown seccomp architecture: SCMP_ARCH_NOPE');
});

test('libseccompVersion: three numbers', () => {
  expect(libseccompVersion()).toMatch(/^\d+\.\d+\.\d+$/);
});

test.if(process.arch === 'x64')(
  'compileSeccomp: masks and values of 64 bits are taken to the last bit',
  () => {
    const words = '"value": 18446744073709551615, "valueTwo": 9007199254740993';
    const rule = `{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, ${words}, "op": "SCMP_CMP_MASKED_EQ"}]}`;
    const json = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [${rule}]}`;
    const filter = compileSeccomp(resolveSeccomp({ kind: 'custom', profile: json }, [], host) as Seccomp);
    const personality = (argument: bigint) =>
      evaluateFilter(filter, { nr: PERSONALITY, arch: X86_64, args: [argument] });
    expect(personality(9007199254740993n)).toBe(ALLOW);
    expect(personality(9007199254740992n)).toBe(EPERM);
    expect(personality(0n)).toBe(EPERM);
  },
);
