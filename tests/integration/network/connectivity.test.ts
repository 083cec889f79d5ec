import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { silentLogger } from '#base';
import { createNetworkService, type NetworkService, type PortRequest, type Sandbox } from '#network';
import { createMemoryMetadataStore } from '#store/testing';
import { eventually } from '../../harness/eventually.ts';
import { HOST_IP, Lab, NEIGHBOUR_IP } from './lab.ts';
import { inPrivateNamespace } from './private-namespace.ts';

inPrivateNamespace(import.meta.path, () => {
  let lab: Lab;
  let service: NetworkService;

  beforeAll(async () => {
    lab = new Lab();
    service = createNetworkService({
      metadata: createMemoryMetadataStore(),
      execRoot: lab.directory,
      logger: silentLogger,
      rulesCheckMs: 50,
    });
    await service.start(new Set());
  });
  afterAll(async () => {
    await service.stop();
    await lab[Symbol.asyncDispose]();
  });

  const publish = (hostPort: number, extra: Partial<PortRequest> = {}): PortRequest => ({
    containerPort: 80,
    protocol: 'tcp',
    hostIp: '',
    hostPort,
    ...extra,
  });
  const plug = (containerId: string, ports: PortRequest[] = []): Promise<Sandbox> =>
    service.createSandbox({ containerId, containerName: containerId, networkMode: 'bridge', ports });
  const ipOf = (sandbox: Sandbox) => sandbox.endpoints[0]?.ipv4Address ?? '';

  describe('a published TCP port', () => {
    let web: Sandbox;
    let other: Sandbox;
    beforeAll(async () => {
      web = await plug('web', [publish(8080), publish(8443, { hostIp: '127.0.0.1' })]);
      other = await plug('other');
      await lab.serve(web.netnsPath, 'tcp', 80);
    });
    afterAll(async () => {
      await service.removeSandbox('web');
      await service.removeSandbox('other');
    });

    test('answers a neighbour, who is seen with its own address', async () => {
      expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, 8080)).toBe(`from ${NEIGHBOUR_IP}`);
    });

    test('answers the host on every address, loopback and IPv6 included', async () => {
      for (const address of ['127.0.0.1', '127.0.0.2', '::1', 'fd98::1', HOST_IP, '172.17.0.1']) {
        expect([address, await lab.ask(undefined, 'tcp', address, 8080)]).toEqual([
          address,
          expect.stringContaining('from '),
        ]);
      }
      expect(web.ports.map(({ hostIp }) => hostIp)).toEqual(['0.0.0.0', '::', '127.0.0.1']);
    });

    test('answers a neighbour over IPv6', async () => {
      expect(await lab.ask(lab.neighbour, 'tcp', 'fd98::1', 8080)).toBe('from 172.17.0.1');
    });

    test('answers other containers, and the container itself, through the host (hairpin)', async () => {
      for (const sandbox of [other, web]) {
        for (const address of [HOST_IP, '172.17.0.1']) {
          expect(await lab.ask(sandbox.netnsPath, 'tcp', address, 8080)).toBe('from 172.17.0.1');
        }
      }
    });

    test('containers of one network reach each other directly', async () => {
      expect(await lab.ask(other.netnsPath, 'tcp', ipOf(web), 80)).toBe(`from ${ipOf(other)}`);
    });

    test('on 127.0.0.1 is for the host alone', async () => {
      expect(await lab.ask(undefined, 'tcp', '127.0.0.1', 8443)).toBe('from 172.17.0.1');
      expect(await lab.ask(undefined, 'tcp', HOST_IP, 8443)).toBeUndefined();
      lab.run(lab.neighbour, 'ip', 'route', 'add', '172.17.0.0/16', 'via', HOST_IP);
      // A neighbour on the same wire sends to 127.0.0.1 with our hardware address.
      lab.run(lab.neighbour, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
      lab.run(lab.neighbour, 'ip', 'addr', 'del', '127.0.0.1/8', 'dev', 'lo');
      lab.run(lab.neighbour, 'ip', 'rule', 'add', 'pref', '10', 'to', '127.0.0.1', 'lookup', '77');
      lab.run(lab.neighbour, 'ip', 'rule', 'del', 'pref', '0');
      lab.run(lab.neighbour, 'ip', 'rule', 'add', 'pref', '20', 'lookup', 'local');
      lab.run(lab.neighbour, 'ip', 'route', 'add', '127.0.0.1', 'via', HOST_IP, 'dev', 'lan0', 'table', '77');
      const before = counter();
      for (const port of [8443, 8080]) {
        expect(await lab.ask(lab.neighbour, 'tcp', '127.0.0.1', port)).toBeUndefined();
      }
      // The packets did arrive: otherwise this test would prove nothing.
      expect(counter()).toBeGreaterThan(before);
    });

    test('is the only way in: an unpublished port is out of a neighbour’s reach', async () => {
      await lab.serve(web.netnsPath, 'tcp', 81);
      expect(await lab.ask(undefined, 'tcp', ipOf(web), 81)).toContain('from ');
      for (const port of [80, 81]) {
        expect(await lab.ask(lab.neighbour, 'tcp', ipOf(web), port)).toBeUndefined();
      }
    });

    test('containers cannot use loopback routing to reach programs of the host', async () => {
      const secret = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('secret') });
      lab.run(other.netnsPath, 'ip', 'rule', 'add', 'pref', '10', 'to', '127.0.0.1', 'lookup', '77');
      lab.run(other.netnsPath, 'ip', 'rule', 'del', 'pref', '0');
      lab.run(other.netnsPath, 'ip', 'rule', 'add', 'pref', '20', 'lookup', 'local');
      lab.run(other.netnsPath, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
      lab.run(
        other.netnsPath,
        'ip',
        'route',
        'add',
        '127.0.0.1',
        'via',
        '172.17.0.1',
        'dev',
        'eth0',
        'table',
        '77',
      );
      expect(await lab.ask(other.netnsPath, 'tcp', '127.0.0.1', secret.port ?? 0)).toBeUndefined();
      await secret.stop(true);
    });
  });

  /** Packets that came in from the neighbour. */
  const counter = (): number =>
    Number(/wan0:\s+\d+\s+(\d+)/.exec(readFileSync('/proc/self/net/dev', 'utf8'))?.[1]);

  test('UDP is published too, on loopback and IPv6 as well', async () => {
    const sandbox = await plug('udp', [publish(5300, { protocol: 'udp', containerPort: 53 })]);
    await lab.serve(sandbox.netnsPath, 'udp', 53);
    expect(await lab.ask(lab.neighbour, 'udp', HOST_IP, 5300)).toBe(`from ${NEIGHBOUR_IP}: hello`);
    expect(await lab.ask(undefined, 'udp', '127.0.0.1', 5300)).toBe('from 172.17.0.1: hello');
    expect(await lab.ask(undefined, 'udp', '::1', 5300)).toBe('from 172.17.0.1: hello');
    await service.removeSandbox('udp');
    expect(await lab.ask(undefined, 'udp', '127.0.0.1', 5300)).toBeUndefined();
  });

  test('containers reach the outside with the host’s address', async () => {
    const sandbox = await plug('out');
    await lab.serve(lab.neighbour, 'tcp', 90);
    expect(await lab.ask(sandbox.netnsPath, 'tcp', NEIGHBOUR_IP, 90)).toBe(`from ${HOST_IP}`);
    await service.removeSandbox('out');
  });

  test('none has loopback alone; IPv6 is off on eth0 where the network has none', async () => {
    const none = await service.createSandbox({
      containerId: 'n',
      containerName: 'n',
      networkMode: 'none',
      ports: [],
    });
    expect(lab.run(none.netnsPath, 'ip', '-br', 'addr').trim()).toMatch(
      /^lo\s+UNKNOWN\s+127\.0\.0\.1\/8 ::1\/128$/,
    );
    const bridged = await plug('b');
    expect(lab.run(bridged.netnsPath, 'ip', '-o', 'addr', 'show', 'eth0')).not.toContain('inet6');
    await service.removeSandbox('n');
    await service.removeSandbox('b');
  });

  test('ports below 1024 and ping need no privilege inside, as ever on the host', async () => {
    const sandbox = await plug('s');
    const names = ['ip_unprivileged_port_start', 'ping_group_range'];
    const inside = lab.run(sandbox.netnsPath, 'cat', ...names.map((name) => `/proc/sys/net/ipv4/${name}`));
    expect(inside).toBe('0\n0\t2147483647\n');
    expect(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')).toBe('1024\n');
    await service.removeSandbox('s');
  });

  test("a bridge's port has no IPv6 address of its own", async () => {
    await plug('port');
    const shown = (...what: string[]) =>
      Bun.spawnSync(['ip', '-oneline', ...what])
        .stdout.toString()
        .match(/\bveth\w+/g);
    expect(shown('link')).not.toBeNull();
    expect(shown('-6', 'addr')).toBeNull();
    await service.removeSandbox('port');
  });

  test('a thousand ports of one range: each to its own', async () => {
    const first = 20_000;
    const ports = Array.from({ length: 1000 }, (_, index) =>
      publish(first + index, { containerPort: 1000 + index }),
    );
    const started = performance.now();
    const sandbox = await plug('range', ports);
    const tookMs = performance.now() - started;
    await lab.serve(sandbox.netnsPath, 'tcp', 1777);
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, first + 777)).toBe(`from ${NEIGHBOUR_IP}`);
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, first + 776)).toBeUndefined();
    await service.removeSandbox('range');
    console.log(`1000 ports in ${tookMs.toFixed(0)} ms`);
  });

  describe('host ports of other programs', () => {
    test('are refused by name, and stepped over where there is a choice', async () => {
      const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
      await expect(plug('taken', [publish(listener.port)])).rejects.toThrow(
        `Error starting userland proxy: listen tcp4 0.0.0.0:${listener.port}: bind: address already in use`,
      );
      const sandbox = await plug('taken', [publish(listener.port, { hostPortEnd: listener.port + 1 })]);
      expect(sandbox.ports[0]?.hostPort).toBe(listener.port + 1);
      await service.removeSandbox('taken');
      listener.stop(true);
    });

    test('a published port cannot be taken by a program', async () => {
      const sandbox = await plug('held', [publish(0)]);
      const port = sandbox.ports[0]?.hostPort ?? 0;
      expect(() => Bun.listen({ hostname: '0.0.0.0', port, socket: { data() {} } })).toThrow(
        expect.objectContaining({ code: 'EADDRINUSE' }),
      );
      await service.removeSandbox('held');
      Bun.listen({ hostname: '0.0.0.0', port, socket: { data() {} } }).stop(true);
    });
  });

  test('the rules come back when another program flushes them, and traffic goes on meanwhile', async () => {
    const sandbox = await plug('flushed', [publish(8181)]);
    await lab.serve(sandbox.netnsPath, 'tcp', 80);
    lab.run(undefined, 'nft', 'flush', 'ruleset');
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, 8181)).toContain('from ');
    await eventually('the table', () => lab.run(undefined, 'nft', 'list', 'tables').includes('inet gantry'));
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, 8181)).toBe(`from ${NEIGHBOUR_IP}`);
    const forwarding = () => lab.run(undefined, 'nft', 'list', 'chain', 'inet', 'gantry', 'forwarding');
    const before = forwarding();
    expect(before).toContain(' drop');
    lab.run(undefined, 'nft', 'flush', 'table', 'inet', 'gantry');
    await eventually('the rules', () => forwarding() === before);
    await service.removeSandbox('flushed');
  });

  test('two hundred starts beside a program that rewrites the firewall: none fails, nothing is left', async () => {
    const noise = lab.spawn(
      'sh',
      '-c',
      'while :; do nft "add table ip noise; add chain ip noise c; delete table ip noise"; done',
    );
    const ids = Array.from({ length: 200 }, (_, index) => `p${index}`);
    const sandboxes = await Promise.all(ids.map((id) => plug(id, [publish(0)])));
    noise.kill('SIGKILL');
    await noise.exited;
    await Promise.all(ids.map((id) => service.removeSandbox(id)));
    expect(readdirSync(`${lab.directory}/netns`)).toEqual([]);
    expect(lab.run(undefined, 'nft', 'list', 'map', 'inet', 'gantry', 'any_ports')).not.toContain('elements');
    const interfaces = new Set(sandboxes.map(({ endpoints }) => endpoints[0]?.hostInterface));
    await eventually('the interfaces to go', () => {
      const links = JSON.parse(lab.run(undefined, 'ip', '-j', 'link')) as { ifname: string }[];
      return !links.some(({ ifname }) => interfaces.has(ifname));
    });
  });

  test('a hundred sandboxes one after the other leave nothing', async () => {
    const links = () => lab.run(undefined, 'ip', '-o', 'link').split('\n').length;
    const before = links();
    const samples: number[] = [];
    for (let round = 0; round < 100; round += 1) {
      const started = performance.now();
      await plug('timed');
      samples.push(performance.now() - started);
      await service.removeSandbox('timed');
    }
    const p50 = samples.toSorted((a, b) => a - b)[50] ?? Number.POSITIVE_INFINITY;
    console.log(`createSandbox p50 ${p50.toFixed(2)} ms`);
    await eventually('the interfaces to go', () => links() === before);
  });
});
