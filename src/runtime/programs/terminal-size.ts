import { basename } from 'node:path';
import type { Sys } from '#sys';
import type { TerminalSize } from '../types.ts';
import type { LaunchableRuntime } from './launcher.ts';
import { standInLibrary } from './stand-in-library.ts';

/** The C library's version of the function on x86_64. */
const PTSNAME = { 'GLIBC_2.2.5': ['ptsname_r'] };

/** Dispose it when the runtime has started the process. */
export interface PresetRuntime extends Disposable {
  readonly runtime: LaunchableRuntime;
}

/**
 * crun sets the size of an exec's terminal while the process starts already, and either may be first (1.8). The process
 * that opens the terminal asks for its name before it goes on: this is that function, which sets the size as well.
 * Undefined where it is not needed or we have no code.
 */
export function presetTerminalSize(
  runtime: LaunchableRuntime,
  size: TerminalSize,
  sys: Pick<Sys, 'files' | 'processes'>,
): PresetRuntime | undefined {
  const { launch } = runtime;
  const image = basename(runtime.path) === 'crun' && launch ? terminalSizeLibrary(size) : undefined;
  if (!launch || !image) return undefined;
  const library = sys.files.sealed('terminal-size', image);
  const preloads = [launch.env['LD_PRELOAD'], `/proc/${process.pid}/fd/${library}`].filter(Boolean);
  const env = { ...launch.env, LD_PRELOAD: preloads.join(':') };
  return {
    runtime: { ...runtime, launch: { ...launch, env } },
    [Symbol.dispose]: () => sys.processes.closeFd(library),
  };
}

/** A library with a `ptsname_r` that sets the terminal's size. Undefined for an architecture we have no code for. */
export const terminalSizeLibrary = (
  size: TerminalSize,
  arch: string = process.arch,
): Uint8Array | undefined =>
  arch === 'x64' ? standInLibrary('libterminalsize.so.0', PTSNAME, arch, ptsnameCode(size)) : undefined;

/** `int ptsname_r(int fd, char *buffer, size_t)`: fd in edi, buffer in rsi; all else below the stack pointer. */
function ptsnameCode({ rows, columns }: TerminalSize): number[] {
  const size = [rows & 0xff, (rows >> 8) & 0xff, columns & 0xff, (columns >> 8) & 0xff];
  return [
    ...[0x49, 0x89, 0xf0], // mov r8, rsi
    ...[0xbe, 0x30, 0x54, 0x04, 0x80], // mov esi, TIOCGPTN
    ...[0x48, 0x8d, 0x54, 0x24, 0xf8], // lea rdx, [rsp-8]
    ...[0xb8, 0x10, 0x00, 0x00, 0x00], // mov eax, ioctl
    ...[0x0f, 0x05], // syscall
    ...[0x85, 0xc0, 0x75, 0x73], // test eax, eax; jne failed
    ...[0xc7, 0x44, 0x24, 0xf0, ...size], // mov dword [rsp-16], size
    ...[0xc7, 0x44, 0x24, 0xf4, 0x00, 0x00, 0x00, 0x00], // mov dword [rsp-12], 0
    ...[0xbe, 0x14, 0x54, 0x00, 0x00], // mov esi, TIOCSWINSZ
    ...[0x48, 0x8d, 0x54, 0x24, 0xf0], // lea rdx, [rsp-16]
    ...[0xb8, 0x10, 0x00, 0x00, 0x00], // mov eax, ioctl
    ...[0x0f, 0x05], // syscall
    ...[0x48, 0xb8, ...Buffer.from('/dev/pts')], // mov rax, "/dev/pts"
    ...[0x49, 0x89, 0x00], // mov [r8], rax
    ...[0x41, 0xc6, 0x40, 0x08, 0x2f], // mov byte [r8+8], '/'
    ...[0x49, 0x83, 0xc0, 0x09], // add r8, 9
    ...[0x8b, 0x44, 0x24, 0xf8], // mov eax, [rsp-8]
    ...[0xb9, 0x0a, 0x00, 0x00, 0x00], // mov ecx, 10
    ...[0x4c, 0x8d, 0x4c, 0x24, 0xf0], // lea r9, [rsp-16]
    // The number's digits, from the last one to the first.
    ...[0x31, 0xd2, 0xf7, 0xf1], // xor edx, edx; div ecx
    ...[0x83, 0xc2, 0x30], // add edx, '0'
    ...[0x49, 0xff, 0xc9, 0x41, 0x88, 0x11], // dec r9; mov [r9], dl
    ...[0x85, 0xc0, 0x75, 0xef], // test eax, eax; jne to xor
    ...[0x4c, 0x8d, 0x54, 0x24, 0xf0], // lea r10, [rsp-16]
    ...[0x41, 0x8a, 0x01, 0x41, 0x88, 0x00], // mov al, [r9]; mov [r8], al
    ...[0x49, 0xff, 0xc1, 0x49, 0xff, 0xc0], // inc r9; inc r8
    ...[0x4d, 0x39, 0xd1, 0x75, 0xef], // cmp r9, r10; jne to mov al
    ...[0x41, 0xc6, 0x00, 0x00], // mov byte [r8], 0
    ...[0x31, 0xc0, 0xc3], // xor eax, eax; ret
    ...[0xf7, 0xd8, 0xc3], // failed: neg eax; ret
  ];
}
