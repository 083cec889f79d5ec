import { cliError } from '../../core/errors.ts';

const KNOWN_SYSTEMS =
  /^(?:aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|linux|nacl|netbsd|openbsd|plan9|solaris|windows|zos|macos)$/;
const KNOWN_ARCHITECTURES =
  /^(?:386|amd64|amd64p32|arm|armbe|arm64|arm64be|ppc|ppc64|ppc64le|loong64|mips|mipsle|mips64|mips64le|mips64p32|mips64p32le|riscv|riscv64|s390|s390x|sparc|sparc64|wasm|i386|x86_64|x86-64|aarch64|armhf|armel)$/;
const COMPONENT = /^[A-Za-z0-9_.-]+$/;
const SHOWN_COMPONENT = '^[A-Za-z0-9_.-]+$';

/** Checks `os[/arch[/variant]]`; empty is the engine's own. @throws docker's texts. */
export function checkPlatform(text: string): void {
  const reason = text === '' ? undefined : complaint(text);
  if (reason !== undefined) throw cliError(`error parsing specified platform: ${reason}: invalid argument`);
}

function complaint(text: string): string | undefined {
  const shown = JSON.stringify(text);
  const parts = text.split('/');
  // A system may bring its version: `windows(10.0.17763)`.
  for (const part of parts.map((each, at) => (at === 0 ? each.replace(/\([A-Za-z0-9_.-]*\)$/, '') : each)))
    if (!COMPONENT.test(part))
      return `${JSON.stringify(part)} is an invalid component of ${shown}: platform specifier component must match "${SHOWN_COMPONENT}"`;
  if (parts.length > 3) return `${shown}: cannot parse platform specifier`;
  const [only = ''] = parts;
  const isKnown =
    parts.length > 1 ||
    KNOWN_SYSTEMS.test(only.toLowerCase()) ||
    KNOWN_ARCHITECTURES.test(only.toLowerCase());
  return isKnown ? undefined : `${shown}: unknown operating system or architecture`;
}
