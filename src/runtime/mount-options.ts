import { basename } from 'node:path';
import { callRuntimeForText } from './command.ts';
import type { RuntimeBinary } from './types.ts';

const PROBE_DEADLINE_MS = 5000;
/** mount_setattr(2). */
const KERNEL = [5, 12] as const;
/** Has the option, and no way to say so before 1.8.4. */
const CRUN = [1, 4] as const;

/** Which OCI runtimes know the mount option `rro`. Each is asked once. */
export class RecursiveReadOnly {
  readonly #known = new Map<string, Promise<boolean>>();
  readonly #kernelRelease: string;

  constructor(kernelRelease: string) {
    this.#kernelRelease = kernelRelease;
  }

  /** Undefined: it works. Docker's texts. */
  async whyNot(name: string, runtime: RuntimeBinary): Promise<string | undefined> {
    if (!isAtLeast(this.#kernelRelease, KERNEL)) {
      return 'rro is not supported: function not implemented (kernel is older than 5.12?)';
    }
    const known = this.#known.get(runtime.path) ?? knowsOption(runtime);
    this.#known.set(runtime.path, known);
    return (await known) ? undefined : `rro is not supported by runtime "${name}"`;
  }
}

async function knowsOption(runtime: RuntimeBinary): Promise<boolean> {
  const ask = (argument: string) =>
    callRuntimeForText(runtime, [argument], PROBE_DEADLINE_MS).catch(() => '');
  if (basename(runtime.path) === 'crun') return isAtLeast(await ask('--version'), CRUN);
  return (await ask('features')).includes('"rro"');
}

/** Whether the first version number in `text` is `minimum` or later. */
export function isAtLeast(text: string, [major, minor]: readonly [number, number]): boolean {
  const [, foundMajor, foundMinor] = /(\d+)\.(\d+)/.exec(text)?.map(Number) ?? [];
  if (foundMajor === undefined || foundMinor === undefined) return false;
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}
