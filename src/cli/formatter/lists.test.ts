import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { ContainerSummary, ImageSummary, NetworkSummary, PortSummary, Volume } from '#api';
import type { FakeCalls } from '#client/testing';
import { expectGolden } from '../testing/golden.ts';
import { runForTest, TEST_NOW } from '../testing/index.ts';
import { displayPorts } from './container.ts';
import { alignColumns } from './tabwriter.ts';
import { ellipsis, goTimeOfText, naturalOrder } from './text.ts';

const golden = (name: string): string => join(import.meta.dir, '../testdata/lists', `${name}.txt`);
const secondsAgo = (seconds: number): number => TEST_NOW / 1000 - seconds;

const container = (changes: Partial<ContainerSummary>): ContainerSummary => ({
  Id: '0123456789abcdef'.repeat(4),
  Names: ['/web'],
  Image: 'busybox',
  ImageID: `sha256:${'a'.repeat(64)}`,
  Command: "sh -c 'echo hello; echo err >&2'",
  Created: secondsAgo(90),
  Ports: [],
  Labels: {},
  State: 'running',
  Status: 'Up About a minute',
  HostConfig: {},
  NetworkSettings: { Networks: {} },
  Mounts: [],
  ...changes,
});

const image: ImageSummary = {
  Id: `sha256:${'b'.repeat(64)}`,
  ParentId: '',
  RepoTags: ['busybox:latest', 'r.io:5000/a/b:1'],
  RepoDigests: [`busybox@sha256:${'c'.repeat(64)}`],
  Created: secondsAgo(7200),
  Size: 1_984_000,
  SharedSize: -1,
  Labels: null,
  Containers: -1,
};

const network = (Name: string, changes: Partial<NetworkSummary> = {}): NetworkSummary => ({
  Name,
  Id: Name.padEnd(64, '0'),
  Created: '2024-01-02T03:04:05.120Z',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: null },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Options: null,
  Labels: { b: '2', a: '1' },
  ...changes,
});

const volume = (Name: string): Volume => ({
  Name,
  Driver: 'local',
  Mountpoint: `/v/${Name}`,
  Labels: { x: 'y' },
  Options: null,
  Scope: 'local',
});

const calls: FakeCalls = {
  containers: {
    list: async () => [
      container({}),
      container({
        Id: 'f'.repeat(64),
        Names: ['/db', '/web/db'],
        Image: 'postgres:16@sha256:abc',
        Command: 'postgres',
        Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
        Labels: { b: '2', a: '1' },
        Mounts: [
          {
            Type: 'volume',
            Name: 'a-long-volume-name',
            Source: '/x',
            Destination: '/y',
            Driver: 'local',
            Mode: '',
            RW: true,
            Propagation: '',
          },
        ],
        SizeRw: 1500,
        SizeRootFs: 2_000_000,
        Status: 'Exited (0) 2 hours ago',
        State: 'exited',
      }),
    ],
  },
  images: {
    list: async () => [image, { ...image, Id: `sha256:${'d'.repeat(64)}`, RepoTags: [], RepoDigests: [] }],
    history: async () => [
      {
        Id: `sha256:${'b'.repeat(64)}`,
        Created: secondsAgo(7200),
        CreatedBy: `/bin/sh -c ${'x'.repeat(60)}`,
        Tags: null,
        Size: 1_984_000,
        Comment: '',
      },
      {
        Id: '<missing>',
        Created: secondsAgo(9000),
        CreatedBy: 'COPY\tfile',
        Tags: null,
        Size: 0,
        Comment: 'c',
      },
    ],
  },
  networks: { list: async () => [network('net10'), network('net2', { Driver: 'macvlan' })] },
  volumes: { list: async () => ({ Volumes: [volume('v10'), volume('v2')], Warnings: null }) },
  system: {
    diskUsage: async () => ({
      LayersSize: 1_984_000,
      Images: [{ ...image, Containers: 1, SharedSize: 0 }],
      Containers: [container({ SizeRw: 100, State: 'exited' })],
      Volumes: [{ ...volume('v'), UsageData: { Size: 1000, RefCount: 0 } }],
      BuildCache: [],
    }),
  },
};

describe('lists', () => {
  test.each([
    ['ps -a', 'ps'],
    ['ps -a --no-trunc', 'ps-no-trunc'],
    ['ps -as', 'ps-size'],
    ['ps -aq', 'ps-quiet'],
    ['ps -a --format json', 'ps-json'],
    ['images', 'images'],
    ['images --digests', 'images-digests'],
    ['images -q --no-trunc', 'images-quiet'],
    ['images --format json', 'images-json'],
    ['history x', 'history'],
    ['history --no-trunc --human=false x', 'history-exact'],
    ['network ls', 'network-ls'],
    ['network ls --format json', 'network-ls-json'],
    ['volume ls', 'volume-ls'],
    ['volume ls --format json', 'volume-ls-json'],
    ['system df', 'system-df'],
    ['system df -v', 'system-df-verbose'],
    ['system df --format json', 'system-df-json'],
  ])('%s', async (line, name) => {
    const run = await runForTest(line.split(' '), { calls });
    expect(run.stderr).toBe('');
    await expectGolden(golden(name), run.stdout);
  });

  test.each([
    ['{{.Names}}: {{.Status}} {{.Label "a"}}', 'web: Up About a minute \ndb: Exited (0) 2 hours ago 1\n'],
    ['{{upper .Names}}\\t{{.LocalVolumes}}', 'WEB\t0\nDB\t1\n'],
    ['table {{.Names}}\\t{{.Mounts}}', 'NAMES     MOUNTS\nweb       \ndb        a-long-volume-…\n'],
    ['table {{.Image}}', 'IMAGE\nbusybox\npostgres:16\n'],
  ])('ps --format %p', async (format, expected) => {
    expect((await runForTest(['ps', '-a', '--format', format], { calls })).stdout).toBe(expected);
  });

  test('a bad template is refused', async () => {
    const failing = async (format: string) =>
      (await runForTest(['ps', '--format', format], { calls })).stderr;
    expect(await failing('{{.Foo')).toBe('failed to parse template: template: :1: unclosed action\n');
    expect(await failing('{{.Foo}}')).toBe(
      'failed to execute template: template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext\n',
    );
  });
});

describe('displayPorts', () => {
  const port = (PrivatePort: number, PublicPort?: number, IP?: string, Type = 'tcp'): PortSummary => ({
    PrivatePort,
    Type,
    ...(PublicPort !== undefined && { PublicPort }),
    ...(IP !== undefined && { IP }),
  });
  test.each<[PortSummary[], string]>([
    [[port(80)], '80/tcp'],
    [[port(80), port(81), port(83), port(53, undefined, undefined, 'udp')], '80-81/tcp, 53/udp, 83/tcp'],
    [[port(80, 8080, '0.0.0.0'), port(80, 8080, '::')], '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp'],
    [[port(80, 80, '0.0.0.0'), port(81, 81, '0.0.0.0')], '0.0.0.0:80-81->80-81/tcp'],
  ])('%#', (ports, expected) => {
    expect(displayPorts(ports)).toBe(expected);
  });
});

describe('tables', () => {
  const wide = container({ Labels: { w: '日本語', c: 'e\u0301x' } });
  const table = (format: string) =>
    runForTest(['ps', '--format', format], { calls: { containers: { list: async () => [wide] } } });

  test('wide letters take two columns, those that combine none', async () => {
    const { stdout } = await table('table {{.Label "w"}}\\t{{.Label "c"}}\\t{{.State}}');
    expect(stdout.split('\n')[1]).toBe(`日本語    e\u0301x        ${wide.State}`);
  });

  test('a label named as something every object has', async () => {
    const { stdout } = await table('{{.Label "toString"}}|{{.Label "constructor"}}');
    expect(stdout).toBe('|\n');
  });

  test('whatever begins with the word is one; what makes no header leaves it empty', async () => {
    expect((await table('table\\t{{.State}}')).stdout).toBe(`          STATE\n          ${wide.State}\n`);
    expect((await table('tablex {{.State}}')).stdout).toBe(`x STATE\nx ${wide.State}\n`);
    expect((await table('table {{json .}}')).stdout).toStartWith('\n{"Command":');
  });
});

test('ps: a command is quoted as Go quotes, invisible characters escaped', async () => {
  const odd = container({ Command: 'a"b\\\n\u200b\u202e é' });
  const list = async () => [odd];
  const { stdout } = await runForTest(['ps', '--no-trunc', '--format', '{{.Command}}'], {
    calls: { containers: { list } },
  });
  expect(stdout).toBe('"a\\"b\\\\\\n\\u200b\\u202e é"\n');
});

describe('text', () => {
  test('alignColumns: columns are runs of neighbouring lines, as in Go', () => {
    expect(alignColumns('a\tb\tc\nlonger than ten\tb\n')).toBe(
      'a                 b         c\nlonger than ten   b\n',
    );
    expect(alignColumns('a\tb\n\nlonger than ten\tb\n')).toBe('a         b\n\nlonger than ten   b\n');
  });

  test('ellipsis, naturalOrder, goTimeOfText', () => {
    expect(ellipsis('abcdef', 4)).toBe('abc…');
    expect(ellipsis('abcd', 4)).toBe('abcd');
    expect(ellipsis('日本語', 4)).toBe('日…');
    expect(['v10', 'v2', 'a', 'v'].sort(naturalOrder)).toEqual(['a', 'v', 'v2', 'v10']);
    expect(goTimeOfText('2024-01-02T03:04:05.120Z')).toBe('2024-01-02 03:04:05.12 +0000 UTC');
    expect(goTimeOfText('2024-01-02T03:04:00Z')).toBe('2024-01-02 03:04:00 +0000 UTC');
  });
});
