import { describe, expect, test } from 'bun:test';
import type { ImageConfig } from '#oci';
import { applyChanges } from './apply.ts';
import { expand, expandWords } from './expand.ts';

const apply = (...changes: string[]): ImageConfig => applyChanges({}, changes);

test.each(['CONSTRUCTOR x', 'toString x'])('applyChanges: %j is no instruction', (change) =>
  expect(() => apply(change)).toThrow(expect.objectContaining({ code: 'invalid_argument' })),
);

describe('applyChanges', () => {
  const good: readonly (readonly [changes: string[], config: ImageConfig])[] = [
    [['CMD ["sh", "-c", "x"]'], { Cmd: ['sh', '-c', 'x'] }],
    [['CMD echo  hi'], { Cmd: ['/bin/sh', '-c', 'echo  hi'] }],
    [['cmd [broken'], { Cmd: ['/bin/sh', '-c', '[broken'] }],
    [['CMD []'], { Cmd: [] }],
    [['CMD ["a"]', 'ENTRYPOINT ["e"]'], { Cmd: ['a'], Entrypoint: ['e'] }],
    [['ENTRYPOINT ["e"]'], { Entrypoint: ['e'], Cmd: null }],
    [['ENV A=b C="d e" F=g\\ h'], { Env: ['A=b', 'C=d e', 'F=g h'] }],
    [['ENV A some  old  form'], { Env: ['A=some  old  form'] }],
    [['ENV A=1', 'ENV A=2 B=$A'], { Env: ['A=2', 'B=1'] }],
    [
      ['EXPOSE 80 443/TCP 53/udp 7000-7002'],
      {
        ExposedPorts: {
          '80/tcp': {},
          '443/tcp': {},
          '53/udp': {},
          '7000/tcp': {},
          '7001/tcp': {},
          '7002/tcp': {},
        },
      },
    ],
    [['ENV P="1 2"', 'EXPOSE $P'], { Env: ['P=1 2'], ExposedPorts: { '1/tcp': {}, '2/tcp': {} } }],
    [['LABEL a=b "c d"=e'], { Labels: { a: 'b', 'c d': 'e' } }],
    [['ONBUILD RUN  make'], { OnBuild: ['RUN  make'] }],
    [['USER 1000:10'], { User: '1000:10' }],
    [['VOLUME /a /b'], { Volumes: { '/a': {}, '/b': {} } }],
    [['VOLUME ["/a b"]'], { Volumes: { '/a b': {} } }],
    [['WORKDIR /a', 'WORKDIR b/../c'], { WorkingDir: '/a/c' }],
    [['STOPSIGNAL SIGUSR1'], { StopSignal: 'SIGUSR1' }],
    [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
    [
      ['HEALTHCHECK --interval=5s --retries=2 CMD curl x'],
      { Healthcheck: { Test: ['CMD-SHELL', 'curl x'], Interval: 5e9, Retries: 2 } },
    ],
    [['HEALTHCHECK CMD ["true"]'], { Healthcheck: { Test: ['CMD', 'true'] } }],
    [['# comment', 'CMD \\', '# inside', '["a"]'], { Cmd: ['a'] }],
  ];
  for (const [changes, config] of good) {
    test(changes.join(' | '), () => expect(apply(...changes)).toEqual(config));
  }

  const bad: readonly (readonly [change: string, text: string])[] = [
    ['RUN x', 'RUN is not a valid change command'],
    ['FROM x', 'FROM is not a valid change command'],
    ['', 'file with no instructions'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=b c', `Syntax error - can't find = in "c". Must be of the form: name=value`],
    ['ENV =b', 'ENV names can not be blank'],
    ['LABEL', 'LABEL requires at least one argument'],
    ['EXPOSE', 'EXPOSE requires at least one argument'],
    ['EXPOSE abc', 'invalid containerPort: abc'],
    ['EXPOSE 70000', 'invalid containerPort: 70000'],
    ['EXPOSE 80/icmp', 'invalid proto: icmp'],
    ['USER', 'USER requires exactly one argument'],
    ['WORKDIR', 'WORKDIR requires exactly one argument'],
    ['VOLUME', 'VOLUME requires at least one argument'],
    ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['VOLUME [1]', 'when using JSON array syntax, arrays must be comprised of strings only'],
    ['STOPSIGNAL NOPE', 'Invalid signal: NOPE'],
    ['ONBUILD', 'ONBUILD requires at least one argument'],
    ['ONBUILD ONBUILD RUN x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK FOO', 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK --interval=1us CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['HEALTHCHECK --retries=-1 CMD x', '--retries cannot be negative (-1)'],
    ['HEALTHCHECK --nope=1 CMD x', 'unknown flag: --nope'],
    ['CMD --nope x', 'unknown flag: --nope'],
  ];
  for (const [change, text] of bad) {
    test(`"${change}" is refused`, () => expect(() => apply(change)).toThrow(text));
  }

  test('keeps what the config had', () => {
    expect(applyChanges({ Env: ['PATH=/bin'], User: 'a' }, ['ENV X=$PATH'])).toEqual({
      Env: ['PATH=/bin', 'X=/bin'],
      User: 'a',
    });
  });
});

describe('expand', () => {
  const env = new Map([
    ['A', 'value'],
    ['E', ''],
    ['P', '/usr/local/lib'],
  ]);
  const cases: readonly (readonly [text: string, result: string])[] = [
    ['$A', 'value'],
    ['${A}x', 'valuex'],
    ['$A-$B-', 'value--'],
    ['$', '$'],
    ['a$ b', 'a$ b'],
    ["'$A'", '$A'],
    ['"$A"', 'value'],
    ['\\$A', '$A'],
    ['"\\$A\\n"', '$A\\n'],
    ['${B:-d}', 'd'],
    ['${E:-d}', 'd'],
    ['${E-d}', ''],
    ['${A:+x}', 'x'],
    ['${E:+x}', ''],
    ['${E+x}', 'x'],
    ['${A:?}', 'value'],
    ['${B:-${A}}', 'value'],
    ['${P#*/}', 'usr/local/lib'],
    ['${P##*/}', 'lib'],
    ['${P%/*}', '/usr/local'],
    ['${P%%/*}', ''],
    ['${P/l/L}', '/usr/Local/lib'],
    ['${P//l/L}', '/usr/LocaL/Lib'],
  ];
  for (const [text, result] of cases) test(text, () => expect(expand(text, env)).toBe(result));

  const bad: readonly (readonly [text: string, message: string])[] = [
    ['${A', 'failed to process "${A": syntax error: missing \'}\''],
    ['${}', 'bad substitution'],
    ['${A!x}', 'unsupported modifier (!) in substitution'],
    ['${B:?gone}', 'B: gone'],
    ['${B?}', 'B: is not allowed to be unset'],
    ["'a", 'looking for matching single-quote'],
    ['"a', 'looking for matching double-quote'],
  ];
  for (const [text, message] of bad) {
    test(`${text} is refused`, () => expect(() => expand(text, env)).toThrow(message));
  }

  test('splits at white space that is not quoted', () => {
    expect(expandWords('a $W "b c"', new Map([['W', 'x y']]))).toEqual(['a', 'x', 'y', 'b c']);
  });
});
