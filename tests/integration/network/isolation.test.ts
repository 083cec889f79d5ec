import { afterEach, beforeEach, expect, test } from 'bun:test';
import { errorMessage, silentLogger } from '#base';
import {
  createNetworkService,
  type NetworkService,
  type NetworkServiceOptions,
  type SandboxRequest,
} from '#network';
import { openMetadataStore } from '#store';
import { HOST_IP, Lab, NEIGHBOUR_IP } from './lab.ts';
import { inPrivateNamespace } from './private-namespace.ts';

inPrivateNamespace(import.meta.path, () => {
  let lab: Lab;
  let service: NetworkService | undefined;

  beforeEach(() => {
    lab = new Lab();
  });
  afterEach(async () => {
    await service?.stop({ removeAll: true });
    service = undefined;
    await lab[Symbol.asyncDispose]();
  });

  async function start(
    options: Partial<NetworkServiceOptions>,
    live: string[] = [],
  ): Promise<NetworkService> {
    await service?.stop();
    service = createNetworkService({
      metadata: openMetadataStore({ path: `${lab.directory}/meta.db`, logger: silentLogger }),
      execRoot: lab.directory,
      logger: silentLogger,
      ...options,
    });
    await service.start(new Set(live));
    return service;
  }
  /** Why it does not start. */
  async function failure(options: Partial<NetworkServiceOptions>): Promise<string> {
    try {
      await start(options);
    } catch (error) {
      service = undefined;
      return errorMessage(error);
    }
    return 'it started';
  }
  const plug = (network: NetworkService, id: string, extra: Partial<SandboxRequest> = {}) =>
    network.createSandbox({ containerId: id, containerName: id, networkMode: 'bridge', ports: [], ...extra });
  const web = (hostPort: number) => [{ containerPort: 82, protocol: 'tcp', hostIp: '', hostPort } as const];

  test('--icc=false: containers reach what is linked or published, the host and the outside, nothing else', async () => {
    const network = await start({ bridge: { interContainer: false } });
    const server = await plug(network, 'server', { ports: web(8088) });
    const address = server.endpoints[0]?.ipv4Address ?? '';
    for (const port of [80, 81, 82]) await lab.serve(server.netnsPath, 'tcp', port);
    const links = [{ containerId: 'server', ports: [{ port: 80, protocol: 'tcp' as const }] }];
    const linked = await plug(network, 'linked', { links });
    const stranger = await plug(network, 'stranger');
    const ask = (from: typeof linked, to: string, port: number) => lab.ask(from.netnsPath, 'tcp', to, port);

    expect(await ask(linked, address, 80)).toBe(`from ${linked.endpoints[0]?.ipv4Address}`);
    expect(await ask(linked, address, 81)).toBeUndefined();
    expect(await ask(stranger, address, 80)).toBeUndefined();
    expect(await ask(stranger, HOST_IP, 8088)).toBe('from 172.17.0.1');
    expect(await lab.ask(undefined, 'tcp', address, 81)).toBe('from 172.17.0.1');
    await lab.serve(lab.neighbour, 'tcp', 90);
    expect(await ask(stranger, NEIGHBOUR_IP, 90)).toBe(`from ${HOST_IP}`);
    // A broadcast or an address resolution reaches nobody either.
    expect(() => lab.run(stranger.netnsPath, 'busybox', 'ping', '-c1', '-W1', address)).toThrow();
    expect(lab.run(stranger.netnsPath, 'ip', 'neigh')).not.toContain(server.endpoints[0]?.macAddress ?? '-');
    expect(network.get('bridge').options['com.docker.network.bridge.enable_icc']).toBe('false');

    // The link follows the container to its next address.
    await network.removeSandbox('server');
    await plug(network, 'other');
    const again = await plug(network, 'server');
    expect(again.endpoints[0]?.ipv4Address).not.toBe(address);
    await lab.serve(again.netnsPath, 'tcp', 80);
    expect(await ask(linked, again.endpoints[0]?.ipv4Address ?? '', 80)).toContain('from ');
    for (const id of ['linked', 'stranger', 'other', 'server']) await network.removeSandbox(id);
    expect(lab.run(undefined, 'nft', 'list', 'set', 'inet', 'gantry', 'links')).not.toContain('elements');
  });

  test('--icc is applied to containers that run when the daemon starts, both ways', async () => {
    const first = await start({});
    const a = await plug(first, 'a');
    const b = await plug(first, 'b');
    await lab.serve(a.netnsPath, 'tcp', 80);
    const ask = () => lab.ask(b.netnsPath, 'tcp', a.endpoints[0]?.ipv4Address ?? '', 80);
    expect(await ask()).toContain('from ');
    await start({ bridge: { interContainer: false } }, ['a', 'b']);
    lab.run(b.netnsPath, 'ip', 'neigh', 'flush', 'dev', 'eth0');
    expect(await ask()).toBeUndefined();
    const third = await start({}, ['a', 'b']);
    lab.run(b.netnsPath, 'ip', 'neigh', 'flush', 'dev', 'eth0');
    expect(await ask()).toContain('from ');
    for (const id of ['a', 'b']) await third.removeSandbox(id);
  });

  test('--iptables=false: no table at all; published ports are served by the daemon', async () => {
    await (await start({})).stop();
    service = undefined;
    const network = await start({ firewall: false });
    expect(lab.run(undefined, 'nft', 'list', 'ruleset')).toBe('');
    const sandbox = await plug(network, 'web', { ports: web(8088) });
    await lab.serve(sandbox.netnsPath, 'tcp', 82);
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, 8088)).toBe('from 172.17.0.1');
    expect(await lab.ask(undefined, 'tcp', '127.0.0.1', 8088)).toBe('from 172.17.0.1');
    expect(lab.run(undefined, 'nft', 'list', 'ruleset')).toBe('');
    const sctp = { containerPort: 1, protocol: 'sctp', hostIp: '', hostPort: 1 } as const;
    await expect(plug(network, 'sctp', { ports: [sctp] })).rejects.toThrow('with --iptables=false');
    expect(network.get('bridge').options['com.docker.network.bridge.enable_ip_masquerade']).toBe('false');
    await network.removeSandbox('web');
    await network.stop();
    service = undefined;
    const both = await failure({ firewall: false, bridge: { interContainer: false } });
    expect(both).toStartWith('You specified --iptables=false with --icc=false.');
  });

  test('--ip-masq=false: containers go out with their own addresses', async () => {
    const network = await start({ bridge: { masquerade: false } });
    const sandbox = await plug(network, 'out');
    lab.run(lab.neighbour, 'ip', 'route', 'add', '172.17.0.0/16', 'via', HOST_IP);
    await lab.serve(lab.neighbour, 'tcp', 90);
    expect(await lab.ask(sandbox.netnsPath, 'tcp', NEIGHBOUR_IP, 90)).toBe(
      `from ${sandbox.endpoints[0]?.ipv4Address}`,
    );
    await network.removeSandbox('out');
  });

  test('--bridge none: no bridge, no rules, and containers that ask for it have loopback alone', async () => {
    const before = await start({});
    const live = await plug(before, 'live');
    expect((await start({ bridge: { name: 'none' } }, ['live'])).get('bridge').bridgeName).toBe('gantry0');
    expect(lab.run(live.netnsPath, 'busybox', 'ping', '-c1', '-W1', '172.17.0.1')).toContain(
      '1 packets received',
    );
    await service?.removeSandbox('live');

    const network = await start({ bridge: { name: 'none' } });
    expect(
      network
        .list()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['host', 'none']);
    expect(() => network.get('bridge')).toThrow('network bridge not found');
    expect(lab.run(undefined, 'ip', '-br', 'link')).not.toContain('gantry0');
    expect(lab.run(undefined, 'nft', 'list', 'ruleset')).toBe('');
    const sandbox = await plug(network, 'alone', { ports: web(8088) });
    expect([sandbox.endpoints, sandbox.ports]).toEqual([[], []]);
    expect(lab.run(sandbox.netnsPath, 'ip', '-br', 'link').trim().split('\n')).toHaveLength(1);
    await network.removeSandbox('alone');
    expect((await start({})).get('bridge').bridgeName).toBe('gantry0');
  });

  test('--mtu, --fixed-cidr and --default-gateway are what containers get', async () => {
    const network = await start({
      bridge: { bip: '10.7.0.1/16', fixedCidr: '10.7.9.0/28', defaultGateway: '10.7.0.9', mtu: 1400 },
    });
    const sandbox = await plug(network, 'a');
    expect(sandbox.endpoints[0]?.ipv4Address).toMatch(/^10\.7\.9\./);
    expect(lab.run(sandbox.netnsPath, 'ip', 'route')).toContain('default via 10.7.0.9');
    expect(lab.run(sandbox.netnsPath, 'ip', 'link', 'show', 'eth0')).toContain('mtu 1400');
    expect(lab.run(undefined, 'ip', 'link', 'show', 'gantry0')).toContain('mtu 1400');
    await network.removeSandbox('a');
    const outside = await failure({ bridge: { bip: '10.7.0.1/16', defaultGateway: '10.8.0.9' } });
    expect(outside).toBe('default gateway 10.8.0.9 is not inside the network 10.7.0.0/16');
  });
});
