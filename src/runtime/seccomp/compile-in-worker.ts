import { askWorker, invalidArgument, withDeadline, workerUrl } from '#base';
import type { Seccomp } from '#oci';
import { compileSeccomp } from './compile.ts';
import type { CompileAnswer } from './compile-worker.ts';

/**
 * This room's Worker file, from the repository root: it must be an entry point of the built program, where this path is
 * also the one form under which it is found.
 */
export const RUNTIME_WORKER_ENTRY = 'src/runtime/seccomp/compile-worker.ts';

const DEADLINE_MS = 2000;

/**
 * {@link compileSeccomp} off this thread, which it would block for 20 to 30 ms. Where no Worker answers (a build
 * without that entry point says nothing at all) it is done here after all.
 * @throws `invalid_argument` for a filter that cannot be compiled.
 */
export async function compileInWorker(seccomp: Seccomp): Promise<Uint8Array> {
  const answer = await compile(seccomp).catch(() => undefined);
  if (answer === undefined) return compileSeccomp(seccomp);
  if ('error' in answer) throw invalidArgument(answer.error);
  return answer.bpf;
}

async function compile(seccomp: Seccomp): Promise<CompileAnswer> {
  const url = workerUrl(RUNTIME_WORKER_ENTRY, './compile-worker.ts', import.meta.url);
  const worker = new Worker(url, { smol: true });
  try {
    return await withDeadline(askWorker<CompileAnswer>(worker, seccomp), DEADLINE_MS, 'seccomp worker');
  } finally {
    worker.terminate();
  }
}
