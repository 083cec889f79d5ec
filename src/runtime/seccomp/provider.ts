import { basename, join } from 'node:path';
import { errorMessage, type Logger } from '#base';
import type { Spec } from '#oci';
import { DEFAULT_CAPABILITIES } from '../spec/capabilities.ts';
import type { RuntimeBinary } from '../types.ts';
import { honoursCompiledFilter } from './canary.ts';
import { compileInWorker } from './compile-in-worker.ts';
import { FilterCache } from './filter-cache.ts';
import { handOverSeccomp } from './hand-over.ts';
import { libseccompVersion } from './libseccomp.ts';
import { resolveSeccomp, type SeccompHost } from './resolve.ts';

export interface SeccompProvider {
  /** The spec as the named runtime should get it. */
  prepare(spec: Spec, runtimeName: string): Promise<Spec>;
  /** Names of the runtimes that proved to take compiled filters. */
  readonly compiledFor: ReadonlySet<string>;
}

/** Probes the runtimes and has the default profile compiled in the background. */
export async function createSeccompProvider(options: {
  readonly runtimes: Readonly<Record<string, RuntimeBinary>>;
  readonly cacheRoot: string;
  readonly execRoot: string;
  readonly host: SeccompHost;
  readonly logger: Logger;
  /** False: crun does not work here at all, so there is nothing to probe. */
  readonly probe: boolean;
}): Promise<SeccompProvider> {
  const filters = openCache(options.cacheRoot, options.logger);
  const names = Object.entries(options.runtimes)
    .filter(
      ([, binary]) => options.probe && filters !== undefined && basename(binary.path).startsWith('crun'),
    )
    .map(async ([name, binary]) => {
      const honoured = await honoursCompiledFilter(binary, join(options.execRoot, 'probe'), options.logger);
      return honoured ? [name] : [];
    });
  const compiledFor = new Set((await Promise.all(names)).flat());
  const usual = resolveSeccomp({ kind: 'default' }, DEFAULT_CAPABILITIES, options.host);
  if (compiledFor.size > 0 && usual) void filters?.get(usual);
  return {
    compiledFor,
    prepare: (spec, name) => handOverSeccomp(spec, compiledFor.has(name) ? filters : undefined),
  };
}

/** Undefined where libseccomp is not installed. */
function openCache(cacheRoot: string, logger: Logger): FilterCache | undefined {
  try {
    return new FilterCache({
      directory: join(cacheRoot, 'seccomp'),
      logger,
      libraryVersion: libseccompVersion(),
      compile: compileInWorker,
    });
  } catch (error) {
    logger.warn('seccomp profiles cannot be compiled ahead', { reason: errorMessage(error) });
    return undefined;
  }
}
