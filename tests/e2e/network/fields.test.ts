import { describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { freePorts } from '../../harness/ports.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine({
  flags: ['--dns', '10.9.9.9', '--dns-search', 'all.example', '--dns-opt', 'ndots:4'],
});
const FILES = 'hostname; hostname -f; tail -n 1 /etc/hosts | cut -f 2; cat /etc/resolv.conf';

describe.each(allClients())('$name', (client) => {
  const show = async (...flags: string[]) =>
    (await engine.must(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', FILES])).split('\n');
  const refusal = async (...flags: string[]) => {
    const { code, stderr } = await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'true']);
    return [code, stderr];
  };
  const dns = [
    '--dns',
    '10.1.1.1',
    '--dns-search',
    'a.example',
    '--dns-search',
    'b.example',
    '--dns-option',
    'ndots:3',
  ];
  const resolver = ['search a.example b.example', 'nameserver 10.1.1.1', 'options ndots:3'];

  test.each([
    [
      ['-h', 'x'],
      ['x', 'x', 'x'],
    ],
    [
      ['-h', 'x', '--domainname', 'dom'],
      ['x', 'x.dom', 'x.dom x'],
    ],
    [
      ['-h', 'x.y.z'],
      ['x.y.z', 'x.y.z', 'x.y.z x'],
    ],
  ])('%j: hostname, full name, hosts and resolver', async (flags, names) => {
    expect(await show(...flags, ...dns)).toEqual([...names, ...resolver]);
  });

  test.skipIf(givenHost() !== undefined)(
    'without flags the daemon’s resolver applies, each kind by itself',
    async () => {
      const lines = await show('-h', 'x', '--dns', '10.1.1.1');
      expect(lines.slice(3)).toEqual(['search all.example', 'nameserver 10.1.1.1', 'options ndots:4']);
    },
  );

  // The 28 client asks engines of API 1.44 and newer only.
  test.skipIf(givenHost() !== undefined)(
    'a hardware address is taken, a static address refused on the default bridge',
    async () => {
      const mac = '92:d0:c6:0a:29:33';
      const name = uniqueName('mac');
      await engine.must(client, [
        'run',
        '-d',
        '--name',
        name,
        '--mac-address',
        mac,
        'busybox',
        'sleep',
        '1000',
      ]);
      expect(await engine.must(client, ['exec', name, 'cat', '/sys/class/net/eth0/address'])).toBe(mac);
      const format = '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}';
      expect(await engine.must(client, ['inspect', '-f', format, name])).toBe(mac);
      const text = 'user specified IP address is supported on user defined networks only';
      for (const network of ['bridge', 'host'])
        expect(await refusal('--ip', '10.2.3.4', '--net', network)).toEqual([
          125,
          expect.stringContaining(text),
        ]);
      await engine.must(client, ['rm', '-f', name]);
    },
  );

  test('another container’s network excludes what belongs to it', async () => {
    const name = uniqueName('donor');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    for (const [flags, text] of [
      [['-h', 'x'], 'hostname and the network mode'],
      [['--dns', '10.1.1.1'], 'dns and the network mode'],
      [['--add-host', 'a:1.1.1.1'], 'custom host-to-IP mapping and the network mode'],
      [['-p', '80:80'], 'port publishing and the container type network mode'],
      [['-P'], 'port publishing and the container type network mode'],
      [['--expose', '90'], 'port exposing and the container type network mode'],
    ] as const) {
      const answer = await refusal('--net', `container:${name}`, ...flags);
      expect([flags, ...answer]).toEqual([
        flags,
        125,
        expect.stringContaining(`conflicting options: ${text}`),
      ]);
    }
    await engine.must(client, ['rm', '-f', name]);
  });

  test('ports: ranges, ephemeral, one address, UDP, IPv6, -P; one that is taken is refused in docker’s words', async () => {
    const name = uniqueName('ports');
    const [first, next, third] = freePorts(3);
    const published = [
      ...['-p', `${first}-${next}:9002-9003`, '-p', '127.0.0.1::85', '-p', '81/udp'],
      ...['-p', `[::1]:${third}:86`],
    ];
    const flags = [...published, '-P', '--expose', '70'];
    await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
    const lines = (await engine.must(client, ['port', name])).split('\n');
    // 20.10 prints in no order, and IPv6 addresses without brackets.
    const chosen = new RegExp(`:(?!(?:${first}|${next}|${third})$)\\d+$`);
    const plain = lines.map((line) => line.replace(chosen, ':N').replace(/[[\]]/g, ''));
    expect(plain.toSorted()).toEqual([
      ...['70/tcp -> 0.0.0.0:N', '70/tcp -> :::N', '81/udp -> 0.0.0.0:N', '81/udp -> :::N'],
      ...['85/tcp -> 127.0.0.1:N', `86/tcp -> ::1:${third}`],
      ...[
        `9002/tcp -> 0.0.0.0:${first}`,
        `9002/tcp -> :::${first}`,
        `9003/tcp -> 0.0.0.0:${next}`,
        `9003/tcp -> :::${next}`,
      ],
    ]);
    expect(await engine.must(client, ['inspect', '-f', '{{json .Config.ExposedPorts}}', name])).toBe(
      '{"70/tcp":{},"81/udp":{},"85/tcp":{},"86/tcp":{},"9002/tcp":{},"9003/tcp":{}}',
    );
    const second = uniqueName('second');
    const { code, stderr } = await engine.run(client, [
      'run',
      '--name',
      second,
      '-p',
      `${first}:1`,
      'busybox',
      'true',
    ]);
    const id = '[0-9a-f]{64}';
    const text = `driver failed programming external connectivity on endpoint ${second} \\(${id}\\): Bind for 0.0.0.0:${first} failed: port is already allocated`;
    expect([code, stderr]).toEqual([125, expect.stringMatching(new RegExp(text))]);
    await engine.must(client, ['rm', '-f', name, second]);
  });
});
