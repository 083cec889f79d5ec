import { describe, expect, test } from 'bun:test';
import { parseFlags } from './parse.ts';
import { defineFlags } from './spec.ts';

const SPECS = defineFlags({
  detach: { type: 'bool', short: 'd', summary: '' },
  env: { type: 'list', short: 'e', summary: '' },
  filter: { type: 'filter', short: 'f', summary: '' },
  interactive: { type: 'bool', short: 'i', summary: '' },
  limit: { type: 'int', short: 'n', default: '-1', summary: '' },
  memory: { type: 'bytes', short: 'm', summary: '' },
  'memory-swap': { type: 'memswap', summary: '' },
  cpus: { type: 'decimal', summary: '' },
  wait: { type: 'duration', summary: '' },
  name: { type: 'string', summary: '' },
  opt: { type: 'map', short: 'o', summary: '' },
  platform: { type: 'stringSlice', summary: '' },
  publish: { type: 'list', short: 'p', summary: '' },
  rm: { type: 'bool', default: 'true', summary: '' },
  tty: { type: 'bool', short: 't', summary: '' },
  weight: { type: 'uint16', summary: '' },
});

const parse = (line: string, interspersed = true) => parseFlags(line.split(' '), SPECS, { interspersed });
const given = (line: string, interspersed = true) => {
  const { values, changed, positional } = parse(line, interspersed);
  return { ...Object.fromEntries([...changed].map((name) => [name, values[name]])), positional };
};

describe("parseFlags: pflag's grammar", () => {
  test.each<[string, Record<string, unknown>]>([
    ['-itd', { interactive: true, tty: true, detach: true, positional: [] }],
    ['-e A=1 -e B=2', { env: ['A=1', 'B=2'], positional: [] }],
    ['-eA=1', { env: ['A=1'], positional: [] }],
    ['-e=A=1', { env: ['A=1'], positional: [] }],
    ['-p80:80', { publish: ['80:80'], positional: [] }],
    ['-ite A=1 x', { interactive: true, tty: true, env: ['A=1'], positional: ['x'] }],
    ['--rm=false', { rm: false, positional: [] }],
    ['-i=false', { interactive: false, positional: [] }],
    ['--memory-swap -1', { 'memory-swap': -1, positional: [] }],
    ['--name=', { name: '', positional: [] }],
    ['--name 0123', { name: '0123', positional: [] }],
    ['a -d b', { detach: true, positional: ['a', 'b'] }],
    ['-d -- -e x', { detach: true, positional: ['-e', 'x'] }],
    ['- -d', { detach: true, positional: ['-'] }],
    ['-m 1.5g --cpus 1.5 -n 0x10', { memory: 1610612736, cpus: 1.5e9, limit: 16, positional: [] }],
    ['--wait 1m30s', { wait: 90e9, positional: [] }],
    ['-o a=b -o c', { opt: { a: 'b', c: '' }, positional: [] }],
    ['-f a=b -f A=c', { filter: { a: ['b', 'c'] }, positional: [] }],
    ['-f constructor=1', { filter: { constructor: ['1'] }, positional: [] }],
    ['--platform a,b --platform c', { platform: ['a', 'b', 'c'], positional: [] }],
  ])('%s', (line, expected) => {
    expect<unknown>(given(line)).toEqual(expected);
  });

  test('stops at the first argument where the rest belongs to the container', () => {
    const positional = ['image', 'sh', '-c', 'x', '--', '-d'];
    expect<unknown>(given('-d image sh -c x -- -d', false)).toEqual({ detach: true, positional });
    expect<unknown>(given('-- image -d', false)).toEqual({ positional: ['image', '-d'] });
  });

  test('defaults hold until a flag is given', () => {
    expect(parse('x').values).toMatchObject({ rm: true, limit: -1, env: [], memory: 0, opt: {}, name: '' });
  });

  test.each([
    ['--foo', 'unknown flag: --foo'],
    ['-dZ', "unknown shorthand flag: 'Z' in -Z"],
    ['--memory', 'flag needs an argument: --memory'],
    ['-dm', "flag needs an argument: 'm' in -m"],
    ['--=x', 'bad flag syntax: --=x'],
    ['---x', 'bad flag syntax: ---x'],
    ['-m x', 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\''],
    [
      '--rm=maybe',
      'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['-n x', 'invalid argument "x" for "-n, --limit" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    ['--weight 70000', '"70000" for "--weight" flag: strconv.ParseUint: parsing "70000": value out of range'],
    [
      '--weight -1',
      'invalid argument "-1" for "--weight" flag: strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    ['--cpus x', 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'],
    ['--cpus 0.0000000001', 'invalid argument "0.0000000001" for "--cpus" flag: value is too precise'],
    ['--wait 5', 'invalid argument "5" for "--wait" flag: time: missing unit in duration "5"'],
    ['-f x', 'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)'],
    ['--platform a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
  ])('%s is refused', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  test('--help and -h ask for help, unless the table has that shorthand', () => {
    expect(parse('--help x').help).toBe(true);
    expect(parse('-dh').help).toBe(true);
    const specs = defineFlags({ hostname: { type: 'string', short: 'h', summary: '' } });
    expect(parseFlags(['-h', 'x'], specs)).toMatchObject({ help: false, values: { hostname: 'x' } });
  });
});
