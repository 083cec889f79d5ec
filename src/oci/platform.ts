import { invalidArgument, ownValue } from '#base';
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
/** GOOS and GOARCH: what one word alone may mean. */
const SYSTEMS = ['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'solaris', 'illumos'];
const MACHINES = [
  ...['amd64', '386', 'arm', 'arm64', 'loong64', 'mips', 'mips64', 'mips64le', 'mipsle', 'ppc64', 'ppc64le'],
  ...['riscv64', 's390x', 'wasm'],
];
/** Each machine's plain form, which is written without a variant. */
const PLAIN_VARIANT: Record<string, string> = { amd64: 'v1', arm: 'v7', arm64: 'v8' };

/** The platform of this process, in Go's names. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/**
 * Parses `linux/arm64/v8`, `linux/amd64`, `arm64`, `linux` with the usual aliases; the parts that are not given
 * are this machine's. Source: containerd platforms, "Parse".
 * @throws `invalid_argument` for empty, malformed or unknown parts.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw invalidArgument(
      `${JSON.stringify(text)} is an invalid platform specifier: must be <os>/<arch>[/<variant>]`,
    );
  }
  const [first = '', second, third] = parts;
  if (second !== undefined) return { os: normaliseOs(first), ...normaliseMachine(second, third) };
  if (SYSTEMS.includes(normaliseOs(first))) return { ...hostPlatform(), os: normaliseOs(first) };
  const machine = normaliseMachine(first, undefined);
  if (MACHINES.includes(machine.architecture)) return { os: hostPlatform().os, ...machine };
  throw invalidArgument(`${JSON.stringify(text)}: unknown operating system or architecture`);
}

const normaliseOs = (os: string): string => (os === 'macos' ? 'darwin' : os);

function normaliseMachine(name: string, given: string | undefined): Omit<Platform, 'os'> {
  const alias = ownValue(ALIASES, name);
  const { architecture, variant } = alias ?? { architecture: name };
  const chosen =
    given === undefined ? variant : architecture === 'arm' ? given.replace(/^(?=\d)/, 'v') : given;
  const isPlain = chosen === undefined || (given === undefined && chosen === PLAIN_VARIANT[architecture]);
  return isPlain ? { architecture } : { architecture, variant: chosen };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}
