import { invalidArgument, unavailable } from '#base';
import type { BootstrapKind, BootstrapOptions, ImportOptions } from '../types.ts';
import { BUSYBOX_CHANGES, busyboxRootfs } from './busybox.ts';
import { DEBIAN_CHANGES, DEBIAN_SUITE, debianRootfs } from './debian.ts';
import { requireProgram } from './packages.ts';
import { isStaticProgram } from './static-binary.ts';

/** What to import, and the names it gets. */
export interface BootstrapPlan {
  readonly rootfs: AsyncIterable<Uint8Array>;
  readonly changes: readonly string[];
  readonly references: readonly [first: string, ...more: string[]];
  readonly message: string;
}

/** Prepares a base image from Debian's packages; installs what the host lacks for it. */
export async function planBootstrap(kind: BootstrapKind, options: BootstrapOptions): Promise<BootstrapPlan> {
  return kind === 'busybox' ? planBusybox(options) : planDebian(options);
}

async function planBusybox(options: BootstrapOptions): Promise<BootstrapPlan> {
  if ((options.packages ?? []).length > 0) throw invalidArgument('busybox takes no packages');
  const { onProgress, signal } = options;
  const binary = await requireProgram('busybox', 'busybox-static', { onProgress, signal });
  if (!(await isStaticProgram(binary))) {
    throw unavailable(`${binary} needs a dynamic loader; install it by hand: apt-get install busybox-static`);
  }
  return {
    rootfs: busyboxRootfs(binary, { signal }),
    changes: BUSYBOX_CHANGES,
    references: [options.reference ?? 'busybox:latest'],
    message: 'bootstrapped from busybox-static',
  };
}

async function planDebian(options: BootstrapOptions): Promise<BootstrapPlan> {
  const { packages, onProgress, signal } = options;
  const mmdebstrap = await requireProgram('mmdebstrap', 'mmdebstrap', { onProgress, signal });
  return {
    rootfs: debianRootfs(mmdebstrap, { packages, onProgress, signal }),
    changes: DEBIAN_CHANGES,
    references:
      options.reference === undefined ? ['debian:latest', `debian:${DEBIAN_SUITE}`] : [options.reference],
    message: `bootstrapped from Debian ${DEBIAN_SUITE}`,
  };
}

/** The plan as an import. */
export function importOptions(plan: BootstrapPlan, { onProgress, signal }: BootstrapOptions): ImportOptions {
  return {
    reference: plan.references[0],
    changes: plan.changes,
    message: plan.message,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
}
