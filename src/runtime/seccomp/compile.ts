import type { Pointer } from 'bun:ffi';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { internal, invalidArgument } from '#base';
import type { Seccomp, SeccompRule } from '#oci';
import { actionValue, operatorValue } from './actions.ts';
import { type KnownCalls, unknownCallPreamble } from './bpf.ts';
import { type Libseccomp, libseccomp } from './libseccomp.ts';

/** Filter attribute: how the program is laid out; 2 is a binary tree over call numbers. */
const ATTRIBUTE_OPTIMIZE = 8;
const BINARY_TREE = 2;

const EEXIST = 17;
/** What the library answers for a name it does not know. */
const UNKNOWN_CALL = -1;
const X86_64 = 0xc000_003e;
const X32 = 0x4000_003e;
const BYTES_PER_COMPARISON = 24;

/**
 * Compiles an OCI filter to BPF, as a runtime would from the JSON, with a preamble that answers ENOSYS to calls newer
 * than all the filter names (only when it refuses by errno). Names the library does not know are left out. Takes 20
 * to 30 ms for the default profile.
 * @throws `invalid_argument` for a filter that cannot be compiled.
 */
export function compileSeccomp(seccomp: Seccomp): Uint8Array {
  const library = libseccomp();
  const filter = library.seccomp_init(
    actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet),
  ) as Pointer | null;
  if (filter === null) throw internal('libseccomp cannot make a filter');
  try {
    const architectures = addArchitectures(library, filter, seccomp.architectures ?? []);
    check(library.seccomp_attr_set(filter, ATTRIBUTE_OPTIMIZE, BINARY_TREE), 'optimize');
    addRules(library, filter, seccomp);
    const body = exportFilter(library, filter);
    if (seccomp.defaultAction !== 'SCMP_ACT_ERRNO') return body;
    return Buffer.concat([unknownCallPreamble(knownCalls(library, seccomp, architectures)), body]);
  } finally {
    library.seccomp_release(filter);
  }
}

/** Returns the tokens of all architectures of the filter; the native one is always there. */
function addArchitectures(library: Libseccomp, filter: Pointer, names: readonly string[]): number[] {
  const tokens = names.map((name) => {
    const token = library.seccomp_arch_resolve_name(cString(name.replace(/^SCMP_ARCH_/, '').toLowerCase()));
    if (token === 0) throw invalidArgument(`unknown seccomp architecture: ${name}`);
    const result = library.seccomp_arch_add(filter, token);
    if (result !== -EEXIST) check(result, `architecture ${name}`);
    return token;
  });
  return [...new Set([library.seccomp_arch_native(), ...tokens])];
}

function addRules(library: Libseccomp, filter: Pointer, seccomp: Seccomp): void {
  const defaultAction = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  for (const rule of seccomp.syscalls ?? []) {
    const action = actionValue(rule.action, rule.errnoRet);
    if (action === defaultAction) continue;
    for (const name of rule.names) {
      const number = library.seccomp_syscall_resolve_name(cString(name));
      if (number === UNKNOWN_CALL) continue;
      for (const comparisons of groupArguments(rule)) {
        const encoded = encodeComparisons(comparisons);
        const result = library.seccomp_rule_add_array(filter, action, number, comparisons.length, encoded);
        check(result, `rule for ${name}`);
      }
    }
  }
}

type Comparison = NonNullable<SeccompRule['args']>[number];

/** Comparisons of different arguments must all hold; several of one argument are alternatives, as runc has it. */
function groupArguments(rule: SeccompRule): readonly (readonly Comparison[])[] {
  const args = rule.args ?? [];
  const distinct = new Set(args.map(({ index }) => index)).size === args.length;
  return distinct ? [args] : args.map((comparison) => [comparison]);
}

/** `struct scmp_arg_cmp[]`: argument, operator, two 64-bit values. Never empty, so that it has an address. */
function encodeComparisons(comparisons: readonly Comparison[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(Math.max(1, comparisons.length) * BYTES_PER_COMPARISON));
  const view = new DataView(bytes.buffer);
  for (const [position, { index, op, value, valueTwo }] of comparisons.entries()) {
    const at = position * BYTES_PER_COMPARISON;
    view.setUint32(at, index, true);
    view.setUint32(at + 4, operatorValue(op), true);
    view.setBigUint64(at + 8, BigInt(value), true);
    view.setBigUint64(at + 16, BigInt(valueTwo ?? 0), true);
  }
  return bytes;
}

/** The library writes to a descriptor only. */
function exportFilter(library: Libseccomp, filter: Pointer): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-seccomp-'));
  const path = join(directory, 'bpf');
  try {
    const fd = openSync(path, 'w', 0o600);
    try {
      check(library.seccomp_export_bpf(filter, fd), 'export');
    } finally {
      closeSync(fd);
    }
    return readFileSync(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function knownCalls(library: Libseccomp, seccomp: Seccomp, architectures: readonly number[]): KnownCalls[] {
  const names = (seccomp.syscalls ?? []).flatMap((rule) => rule.names).map(cString);
  const highest = (token: number) =>
    names.reduce((most, name) => Math.max(most, callNumber(library, token, name)), 0);
  return architectures
    .filter((token) => token !== X32)
    .map((token) => ({
      auditArch: token,
      highest: highest(token),
      ...(token === X86_64 && architectures.includes(X32) ? { highestX32: highest(X32) } : {}),
    }));
}

/** The call's number on an architecture, without the x32 bit; negative when it does not exist there. */
function callNumber(library: Libseccomp, token: number, name: Uint8Array): number {
  const number = library.seccomp_syscall_resolve_name_arch(token, name);
  return token === X32 && number > 0 ? number & ~0x4000_0000 : number;
}

function check(result: number, what: string): void {
  if (result < 0)
    throw invalidArgument(`cannot compile the seccomp profile: ${what}`, { details: { errno: -result } });
}

const cString = (text: string): Uint8Array<ArrayBuffer> => {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(new ArrayBuffer(encoded.length + 1));
  bytes.set(encoded);
  return bytes;
};
