import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '#base';
import { callRuntime } from '../command.ts';
import type { RuntimeBinary } from '../types.ts';
import { BPF_ANNOTATION } from './hand-over.ts';

const DEADLINE_MS = 5000;
const EXDEV = 18;
/** Return EXDEV for execve and execveat, allow the rest: four loads and jumps by hand, so that libseccomp is not needed. */
const CALLS: Readonly<Record<string, { readonly execve: number; readonly execveat: number }>> = {
  x64: { execve: 59, execveat: 322 },
  arm64: { execve: 221, execveat: 281 },
};

/**
 * Proves that a runtime applies a ready-made filter: a container whose filter answers a strange error to execve. Its
 * program is an empty file, so without the filter the error is another one (ENOEXEC), and nothing ever runs.
 */
export async function honoursCompiledFilter(
  runtime: RuntimeBinary,
  directory: string,
  logger: Logger,
): Promise<boolean> {
  const filter = canaryFilter();
  if (!filter) return false;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const bundle = mkdtempSync(join(directory, 'canary-'));
  try {
    writeBundle(bundle, filter);
    const { stderr } = await callRuntime({
      runtime: { ...runtime, args: [...runtime.args, '--cgroup-manager=disabled'] },
      stateRoot: join(bundle, 'state'),
      args: ['run', '--bundle', bundle, 'canary'],
      deadlineMs: DEADLINE_MS,
    });
    const honoured = stderr.includes('cross-device');
    if (!honoured)
      logger.warn('the runtime does not take compiled seccomp filters', { reason: stderr.trim() });
    return honoured;
  } catch (error) {
    logger.warn('cannot probe the runtime for compiled seccomp filters', { error });
    return false;
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
}

function canaryFilter(): Uint8Array | undefined {
  const calls = CALLS[process.arch];
  if (!calls) return undefined;
  const program: readonly (readonly [code: number, yes: number, no: number, k: number])[] = [
    [0x20, 0, 0, 0],
    [0x15, 1, 0, calls.execve],
    [0x15, 0, 1, calls.execveat],
    [0x06, 0, 0, 0x0005_0000 + EXDEV],
    [0x06, 0, 0, 0x7fff_0000],
  ];
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, [code, yes, no, k]] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, yes);
    view.setUint8(index * 8 + 3, no);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}

function writeBundle(bundle: string, filter: Uint8Array): void {
  const rootfs = join(bundle, 'rootfs');
  const program = join(rootfs, 'canary');
  for (const name of ['proc', 'dev']) mkdirSync(join(rootfs, name), { recursive: true });
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  writeFileSync(
    join(bundle, 'config.json'),
    JSON.stringify({
      ociVersion: '1.0.2',
      // With no_new_privs the filter is applied last, so that it meets nothing but the program's execve.
      process: {
        user: { uid: 0, gid: 0 },
        args: ['/canary'],
        env: [],
        cwd: '/',
        noNewPrivileges: true,
      },
      root: { path: rootfs, readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      ],
      annotations: { [BPF_ANNOTATION]: Buffer.from(filter).toString('base64') },
      linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
    }),
  );
}
