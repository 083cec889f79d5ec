import { invalidArgument, parseDurationNs } from '#base';
import type { ImageHealthcheck } from '#oci';
import { type Instruction, tryParseExecForm } from './lines.ts';

const MIN_DURATION_NS = 1e6;
const DURATIONS = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

/** Parses HEALTHCHECK. @throws `invalid_argument` with docker's texts. */
export function parseHealthcheck({ flags, rest }: Instruction): ImageHealthcheck {
  const [kind = '', ...args] = rest.split(/\s+/);
  if (kind === '') throw invalidArgument('HEALTHCHECK requires at least one argument');
  const type = kind.toUpperCase();
  if (type === 'NONE') {
    if (args.length > 0) throw invalidArgument('HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  const options = parseOptions(flags);
  if (type !== 'CMD') {
    throw invalidArgument(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
  return { Test: parseTest(rest.slice(kind.length).trim()), ...options };
}

function parseTest(command: string): string[] {
  const exec = tryParseExecForm(command);
  if (command === '' || exec?.length === 0) throw invalidArgument('Missing command after HEALTHCHECK CMD');
  return exec ? ['CMD', ...exec] : ['CMD-SHELL', command];
}

function parseOptions(flags: Instruction['flags']): Omit<ImageHealthcheck, 'Test'> {
  const options: Record<string, number> = {};
  const seen = new Set<string>();
  for (const [name, value] of flags) {
    if (!(name in DURATIONS) && name !== 'retries') throw invalidArgument(`unknown flag: --${name}`);
    if (seen.has(name)) throw invalidArgument(`duplicate flag specified: --${name}`);
    if (value === undefined) throw invalidArgument(`missing a value on flag: --${name}`);
    seen.add(name);
    if (value === '') continue;
    if (name === 'retries') options['Retries'] = parseRetries(value);
    else options[DURATIONS[name as keyof typeof DURATIONS]] = parseDuration(name, value);
  }
  return options;
}

function parseDuration(name: string, value: string): number {
  const ns = parseDurationNs(value);
  if (ns !== 0 && ns < MIN_DURATION_NS) {
    throw invalidArgument(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  }
  return ns;
}

function parseRetries(value: string): number {
  const retries = Number(value);
  if (!/^[+-]?\d+$/.test(value)) {
    throw invalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  if (Math.abs(retries) > 2 ** 31 - 1) {
    throw invalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  }
  if (retries < 0) throw invalidArgument(`--retries cannot be negative (${retries})`);
  return retries;
}
