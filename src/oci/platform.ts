import { invalidArgument } from '#base';
import type { Platform } from './image-spec.ts';

const ARCHITECTURES: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  riscv64: 'riscv64',
  ppc64: 'ppc64le',
  s390x: 's390x',
};
const ALIASES: Record<string, { architecture: string; variant?: string }> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  i386: { architecture: '386' },
};

/** The platform of this process, in Go's names. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/**
 * Parses `linux/arm64/v8`, `linux/amd64`, `arm64` with the usual aliases.
 * @throws `invalid_argument` for empty or malformed parts.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw invalidArgument(
      `${JSON.stringify(text)} is an invalid platform specifier: must be <os>/<arch>[/<variant>]`,
    );
  }
  const [first = '', second, third] = parts;
  const os = second === undefined ? 'linux' : first.toLowerCase();
  const named = (second ?? first).toLowerCase();
  const { architecture, variant } = ALIASES[named] ?? { architecture: named };
  const chosen = third ?? variant;
  return { os, architecture, ...(chosen === undefined ? {} : { variant: chosen }) };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}
