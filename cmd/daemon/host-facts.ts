import { readFileSync } from 'node:fs';
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os';

/** What `info` and `version` say about the machine. */
export interface HostFacts {
  readonly name: string;
  readonly kernelVersion: string;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** `x86_64`, as uname says. */
  readonly machine: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

const MACHINES: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  arm: 'armv7l',
  ia32: 'i686',
};

/** Reads the facts once; none of them changes while a daemon runs. */
export function readHostFacts(osReleasePaths = ['/etc/os-release', '/usr/lib/os-release']): HostFacts {
  const os = parseOsRelease(osReleasePaths.map(attemptRead).find((text) => text !== '') ?? '');
  return {
    name: hostname(),
    kernelVersion: release(),
    operatingSystem: os['PRETTY_NAME'] ?? 'Linux',
    osVersion: os['VERSION_ID'] ?? '',
    machine: MACHINES[arch()] ?? arch(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
  };
}

/** os-release(5): shell-like assignments; quotes are dropped. */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  const pairs = text.split('\n').flatMap((line) => {
    const match = /^([A-Z][A-Z0-9_]*)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    return match ? [[match[1] ?? '', match[2] ?? match[3] ?? match[4] ?? ''] as const] : [];
  });
  return Object.fromEntries(pairs);
}

function attemptRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
