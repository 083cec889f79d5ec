import { closeSync, writeSync } from 'node:fs';
import { ERRNO } from './errno.ts';
import { check, errno, rawSyscall } from './ffi.ts';
import { cString } from './path-bytes.ts';
import type { Fd } from './types.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Needed where the sysctl `vm.memfd_noexec` asks for it; kernels before 6.3 do not know it. */
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, _SHRINK, _GROW and _WRITE: nothing about it can change any more. */
const ALL_SEALS = 15;

/** See `Files.sealed`. */
export function sealedFile(name: string, content: Uint8Array): Fd {
  const fd = createMemoryFile(name);
  try {
    for (let written = 0; written < content.length; ) written += writeSync(fd, content.subarray(written));
    check(rawSyscall('fcntl', fd, F_ADD_SEALS, ALL_SEALS), 'fcntl', 'name', name);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** See `Files.memory`. */
export function createMemoryFile(name: string): Fd {
  const text = cString(name, 'memfd_create');
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const fd = rawSyscall('memfd_create', text.address, flags | MFD_EXEC);
  if (fd >= 0 || errno() !== ERRNO.EINVAL[0]) return check(fd, 'memfd_create', 'name', name);
  return check(rawSyscall('memfd_create', text.address, flags), 'memfd_create', 'name', name);
}
