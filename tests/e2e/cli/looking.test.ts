import { beforeAll, describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();
const [running, stopped] = [uniqueName('running'), uniqueName('stopped')];
const LABEL = uniqueName('label');
let stoppedId = '';

beforeAll(async () => {
  const script = 'echo out one; echo err one >&2; echo out two; sleep 10000';
  const flags = ['-l', `${LABEL}=yes`, '--log-opt', 'labels=kind', '-l', 'kind=test', '-p', '127.0.0.1:0:80'];
  const published = ['-p', '127.0.0.1:0:53/udp', '-v', 'looking-volume:/data'];
  const create = [...flags, ...published, 'busybox', 'sh', '-c', script];
  await engine.must(gantryClient, ['run', '-d', '--name', running, ...create]);
  const ended = ['run', '--name', stopped, '-l', `${LABEL}=no`, 'busybox', 'sh', '-c', 'exit 3'];
  await engine.run(gantryClient, ended);
  stoppedId = await engine.must(gantryClient, ['inspect', '-f', '{{.Id}}', stopped]);
  engine.defer(() => engine.must(gantryClient, ['rm', '-f', '-v', running, stopped]));
}, 60_000);

describe.each(allClients())('$name ps', (client) => {
  const ps = async (...flags: string[]) =>
    (await engine.must(client, ['ps', '--format', '{{.Names}}', ...flags])).split('\n').filter(Boolean);

  test('all, latest, last, quiet, full IDs, size', async () => {
    expect(await ps()).toEqual([running]);
    expect(await ps('-a')).toEqual([stopped, running]);
    expect(await ps('-l')).toEqual([stopped]);
    expect(await ps('-n', '1')).toEqual([stopped]);
    expect(await engine.must(client, ['ps', '-aq', '-l'])).toBe(stoppedId.slice(0, 12));
    expect(await engine.must(client, ['ps', '-aq', '-l', '--no-trunc'])).toBe(stoppedId);
    expect(await engine.must(client, ['ps', '-a', '-s'])).toMatch(/SIZE\n.*0B \(virtual /);
  });

  test.each<[string, string[]]>([
    ['status=exited', [stopped]],
    ['exited=3', [stopped]],
    [`label=${LABEL}`, [stopped, running]],
    [`label=${LABEL}=yes`, [running]],
    [`name=${stopped}`, [stopped]],
    ['ancestor=busybox', [stopped, running]],
    ['volume=looking-volume', [running]],
    ['network=bridge', [stopped, running]],
    ['publish=80', []],
    ['expose=80', [running]],
    [`since=${running}`, [stopped]],
    [`before=${stopped}`, [running]],
    ['health=none', [stopped, running]],
  ])('-a --filter %s', async (filter, expected) => {
    expect(await ps('-a', '-f', filter)).toEqual(expected);
  });

  test('an unknown filter is refused', async () => {
    const result = await engine.run(client, ['ps', '-f', 'no-such-filter=1']);
    expect([result.code, result.stderr]).toEqual([1, expect.stringMatching(/invalid filter/i)]);
  });
});

describe.each(allClients())('$name logs', (client) => {
  const logs = (...flags: string[]) => engine.run(client, ['logs', ...flags, running]);

  test('both streams apart, tail, timestamps, details', async () => {
    expect(await logs()).toEqual({ code: 0, stdout: 'out one\nout two\n', stderr: 'err one\n' });
    const last = await logs('-n', '1');
    // The streams are two pipes: which line came last is not certain.
    expect(['out two\n', 'err one\n']).toContain(last.stdout + last.stderr);
    expect((await logs('--tail', '0')).stdout).toBe('');
    expect((await logs('-t')).stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z out one\n/);
    expect((await logs('--details')).stdout).toBe('kind=test out one\nkind=test out two\n');
  });

  test('since and until, as time and as a while ago', async () => {
    const [first = ''] = (await logs('-t')).stdout.split(' ');
    expect((await logs('--since', '1h')).stdout).toBe('out one\nout two\n');
    expect((await logs('--until', '1h')).stdout).toBe('');
    expect((await logs('--since', first)).stdout).toContain('out one');
    expect((await logs('--since', '2000-01-01', '--until', '2000-01-02')).stdout).toBe('');
  });

  test('-f follows to the end', async () => {
    const name = uniqueName('follow');
    const script = 'echo first; while ! [ -e /go ]; do sleep 0.02; done; echo last';
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sh', '-c', script]);
    const following = engine.run(client, ['logs', '-f', name]);
    await engine.must(client, ['exec', name, 'touch', '/go']);
    expect((await following).stdout).toBe('first\nlast\n');
    await engine.must(client, ['rm', name]);
  });
});

describe.each(allClients())('$name looking into containers', (client) => {
  test('inspect: of any kind, by type, with size, in part', async () => {
    const [object] = JSON.parse(await engine.must(client, ['inspect', '-s', running])) as [
      Record<string, unknown>,
    ];
    expect(object).toMatchObject({
      Name: `/${running}`,
      SizeRw: expect.any(Number),
      State: { Running: true },
    });
    const wrong = await engine.run(client, ['inspect', '--type', 'image', running]);
    expect(wrong.code).toBe(1);
    const partly = await engine.run(client, ['inspect', '-f', '{{.Name}}', running, 'no-such-thing']);
    expect([partly.code, partly.stdout]).toEqual([1, `/${running}\n`]);
    expect(partly.stderr).toMatch(/[Nn]o such object: no-such-thing/);
    const image = await engine.must(client, ['container', 'inspect', '-f', '{{.Config.Image}}', running]);
    expect(image).toBe('busybox');
  });

  test('port: all, one, none', async () => {
    const all = (await engine.must(client, ['port', running])).split('\n').sort();
    expect(all).toEqual([
      expect.stringMatching(/^53\/udp -> 127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^80\/tcp -> 127\.0\.0\.1:\d+$/),
    ]);
    const [, address = ''] = (all[1] ?? '').split(' -> ');
    expect(await engine.must(client, ['port', running, '80'])).toBe(address);
    expect(await engine.must(client, ['port', running, '80/tcp'])).toBe(address);
    const none = await engine.run(client, ['port', running, '81']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("No public port '81")]);
  });

  test('top with and without options of ps', async () => {
    const [header = '', ...rows] = (await engine.must(client, ['top', running])).split('\n');
    expect(header.trim().split(/\s+/)).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    expect(rows.join('\n')).toContain('sleep 10000');
    const chosen = await engine.must(client, ['top', running, '-o', 'pid,comm']);
    expect(chosen.split('\n')[0]?.trim().split(/\s+/)).toEqual(['PID', 'COMMAND']);
    const sorted = (await engine.must(client, ['top', running, 'aux', '--sort=comm'])).split('\n');
    expect(sorted[0]).toMatch(/^USER/);
    expect(sorted.at(-1)).toContain('sleep 10000');
    expect((await engine.run(client, ['top', stopped])).stderr).toContain('is not running');
  });

  test('stats: one sample, one of several formats, all', async () => {
    const format = '{{.Name}} {{.PIDs}} {{.MemUsage}}';
    const sample = await engine.must(client, ['stats', '--no-stream', '--format', format, running]);
    expect(sample).toMatch(new RegExp(`^${running} \\d [\\d.]+[KM]iB / [\\d.]+GiB$`));
    const all = await engine.must(client, [
      'stats',
      '-a',
      '--no-stream',
      '--no-trunc',
      '--format',
      '{{.ID}}',
    ]);
    expect(all.split('\n')).toContain(stoppedId);
    expect((await engine.run(client, ['stats', '--no-stream', 'no-such-container'])).code).toBe(1);
  });

  test('events: what a container goes through, by filter and as a template', async () => {
    const name = uniqueName('events');
    const since = Math.floor(Date.now() / 1000) - 1;
    await engine.must(client, ['run', '--rm', '--name', name, 'busybox', 'true']);
    const range = ['--since', String(since), '--until', String(Math.ceil(Date.now() / 1000) + 1)];
    const filter = ['-f', 'type=container', '-f', `container=${name}`];
    const told = await engine.must(client, [
      'events',
      ...range,
      ...filter,
      '--format',
      '{{.Status}} {{.From}}',
    ]);
    const expected = ['create', 'start', 'die', 'destroy'].map((action) => `${action} busybox`);
    expect(told.split('\n').filter((line) => expected.includes(line))).toEqual(expected);
    const only = ['-f', 'event=die', '--format', '{{.Actor.Attributes.exitCode}}'];
    expect(await engine.must(client, ['events', ...range, ...filter, ...only])).toBe('0');
  });

  test('system df counts what is there', async () => {
    const format = '{{.Type}}:{{.TotalCount}}:{{.Active}}';
    const lines = (await engine.must(client, ['system', 'df', '--format', format])).split('\n');
    expect(lines.slice(0, 3)).toEqual(['Images:1:1', 'Containers:2:1', 'Local Volumes:1:1']);
    expect(await engine.must(client, ['system', 'df', '-v'])).toContain('looking-volume');
  });
});

const dockers = allClients().filter(
  ({ name }) => name.startsWith('docker 2') && !name.startsWith('docker 20'),
);

/** Stands for the moment of the test: both clients are asked for the same past. */
const UNTIL = 'UNTIL';

describe.each(dockers)('gantry shows what $name shows', (docker: Client) => {
  const SAME: readonly string[][] = [
    ['ps', '-a'],
    ['ps', '-as', '--no-trunc'],
    ['ps', '-a', '--format', 'json'],
    ['images'],
    ['images', '--format', '{{json .}}'],
    ['inspect', running, stopped, 'busybox', 'looking-volume', 'bridge'],
    ['inspect', 'no-such-thing'],
    ['inspect', '-f', '{{.State.Status}} {{json .Config.Env}}', running],
    ['history', 'busybox'],
    ['history', '--no-trunc', '--format', '{{json .}}', 'busybox'],
    ['port', running],
    ['top', running],
    ['diff', running],
    ['logs', '-t', '--details', running],
    ['logs', 'no-such-container'],
    ['system', 'df'],
    ['system', 'df', '-v'],
    ['system', 'df', '-v', '--format', 'json'],
    ['volume', 'ls', '--format', 'json'],
    ['network', 'ls', '--no-trunc'],
    ['events', '--since', '0', '--until', UNTIL],
    ['events', '--since', '0', '--until', UNTIL, '--format', 'json'],
    ['version', '-f', '{{.Server.Version}} {{.Server.APIVersion}}'],
    ['wait', stopped],
  ];

  test.each(SAME.map((args) => [args.join(' '), args] as const))('%s', async (_title, args) => {
    const version = await engine.must(docker, ['version', '-f', '{{.Client.APIVersion}}']);
    const env = { DOCKER_API_VERSION: version };
    const until = String(Date.now() / 1000);
    const actual = args.map((arg) => (arg === UNTIL ? until : arg));
    const [theirs, ours] = [
      await engine.run(docker, actual, { env }),
      await engine.run(gantryClient, actual, { env }),
    ];
    // Whatever is asked, there is something to show or to say.
    expect(theirs.stdout + theirs.stderr).not.toBe('');
    expect(withoutClock(ours.stdout)).toBe(withoutClock(theirs.stdout));
    expect([ours.code, ours.stderr]).toEqual([theirs.code, theirs.stderr]);
  });
});

/** Ages may tick between two calls. */
const withoutClock = (text: string): string =>
  text
    .replaceAll(/(About a minute|Less than a second|\d+ (second|minute)s?)( ago)? */g, 'AGE ')
    .replaceAll(/ {2,}/g, '  ');
