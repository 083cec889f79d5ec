/** What `make test-vm` was asked for. */
export interface VmOptions {
  /** Debian's kernel line: the release's own, or the newer one of its security archive. */
  readonly kernel: '6.1' | '6.12';
  /** The security module that the kernel starts with. */
  readonly lsm: 'apparmor' | 'selinux' | 'none';
  /** Paths of tests, each file or folder below a folder with tests of its own in a process of its own. */
  readonly tests: readonly string[];
  /** Shell text to run in place of tests. */
  readonly command: string | undefined;
  /** Ends the machine. */
  readonly limitS: number;
}

export const USAGE = `usage: run.ts [--kernel 6.1|6.12] [--lsm apparmor|selinux|none] [--limit SECONDS] [TEST PATH...]
       run.ts [...] --command TEXT    runs a shell text in the machine instead of tests`;

const KERNELS = ['6.1', '6.12'] as const;
const MODULES = ['apparmor', 'selinux', 'none'] as const;
const DEFAULT_TESTS = ['tests/integration', 'tests/e2e'];
const DEFAULT_LIMIT_S = 4 * 3600;

/** Reads the arguments. Throws with the reason; the caller adds {@link USAGE}. */
export function parseVmOptions(args: readonly string[]): VmOptions {
  const given = new Map<string, string>();
  const tests: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (!word.startsWith('--')) {
      tests.push(word);
      continue;
    }
    const [name = '', inline] = word.split(/=(.*)/s);
    if (!['--kernel', '--lsm', '--limit', '--command'].includes(name))
      throw new Error(`unknown flag ${name}`);
    const value = inline ?? args[++index];
    if (value === undefined) throw new Error(`${name} needs a value`);
    given.set(name, value);
  }
  return {
    kernel: oneOf('--kernel', KERNELS, given.get('--kernel') ?? '6.1'),
    lsm: oneOf('--lsm', MODULES, given.get('--lsm') ?? 'apparmor'),
    limitS: seconds(given.get('--limit')),
    command: given.get('--command'),
    tests: tests.length > 0 ? tests : DEFAULT_TESTS,
  };
}

function oneOf<T extends string>(flag: string, allowed: readonly T[], value: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${flag} is one of ${allowed.join(', ')}, not ${value}`);
  return found;
}

function seconds(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LIMIT_S;
  const number = Number(value);
  if (!(number > 0)) throw new Error(`--limit is a number of seconds, not ${value}`);
  return number;
}
