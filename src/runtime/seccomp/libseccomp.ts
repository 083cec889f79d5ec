import { dlopen, read } from 'bun:ffi';
import { internal } from '#base';

const LIBRARY = 'libseccomp.so.2';

const SYMBOLS = {
  seccomp_version: { args: [], returns: 'ptr' },
  seccomp_init: { args: ['u32'], returns: 'ptr' },
  seccomp_release: { args: ['ptr'], returns: 'void' },
  seccomp_arch_native: { args: [], returns: 'u32' },
  seccomp_arch_resolve_name: { args: ['ptr'], returns: 'u32' },
  seccomp_arch_add: { args: ['ptr', 'u32'], returns: 'i32' },
  seccomp_attr_set: { args: ['ptr', 'u32', 'u32'], returns: 'i32' },
  seccomp_syscall_resolve_name: { args: ['ptr'], returns: 'i32' },
  seccomp_syscall_resolve_name_arch: { args: ['u32', 'ptr'], returns: 'i32' },
  seccomp_rule_add_array: { args: ['ptr', 'u32', 'i32', 'u32', 'ptr'], returns: 'i32' },
  seccomp_export_bpf: { args: ['ptr', 'i32'], returns: 'i32' },
} as const;

export type Libseccomp = ReturnType<typeof load>['symbols'];

const load = () => dlopen(LIBRARY, SYMBOLS);
let loaded: Libseccomp | undefined;

/** libseccomp2, bound at the first call. Throws when it is not installed. */
export function libseccomp(): Libseccomp {
  loaded ??= load().symbols;
  return loaded;
}

/** `2.5.4`: part of the key of what was compiled with it. */
export function libseccompVersion(): string {
  const version = libseccomp().seccomp_version();
  if (version === null) throw internal('libseccomp has no version');
  return [0, 4, 8].map((offset) => read.u32(version, offset)).join('.');
}
