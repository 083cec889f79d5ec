import { beforeEach, describe, expect, test } from 'bun:test';
import { errorCode, silentLogger } from '#base';
import { createManualClock } from '#base/testing';
import type { MetadataStore } from '#store';
import { createMemoryMetadataStore } from '#store/testing';
import type { KernelEvents } from './kernel.ts';
import type { NetworkServiceOptions } from './options.ts';
import { createNetworkService } from './service.ts';
import { createFakeMachine, type FakeKernel, type FakeMachine } from './testing/index.ts';
import type { NetworkService, PortRequest, SandboxRequest } from './types.ts';

const EXEC_ROOT = '/run/fake';

describe('network service', () => {
  let machine: FakeMachine;
  let metadata: MetadataStore;
  let kernel: FakeKernel;
  let events: KernelEvents;

  beforeEach(() => {
    machine = createFakeMachine();
    metadata = createMemoryMetadataStore();
  });

  async function boot(
    live: string[] = [],
    options: Partial<NetworkServiceOptions> = {},
  ): Promise<NetworkService> {
    const service = createNetworkService({
      metadata,
      execRoot: EXEC_ROOT,
      logger: silentLogger,
      createKernel: (kernelEvents) => {
        events = kernelEvents;
        kernel = machine.open(kernelEvents);
        return kernel;
      },
      ...options,
    });
    await service.start(new Set(live));
    return service;
  }

  const want = (containerId: string, extra: Partial<SandboxRequest> = {}): SandboxRequest => ({
    containerId,
    containerName: `name-${containerId}`,
    networkMode: 'bridge',
    ports: [],
    ...extra,
  });
  const port = (hostPort?: number, extra: Partial<PortRequest> = {}): PortRequest => ({
    containerPort: 80,
    protocol: 'tcp',
    hostIp: '',
    hostPort,
    ...extra,
  });
  const lastTable = () => machine.rules.findLast((text) => text.includes('table inet gantry {')) ?? '';

  test('start makes the three networks, the bridge, forwarding and the rules', async () => {
    const service = await boot();
    expect(service.list().map(({ name, driver }) => [name, driver])).toEqual([
      ['bridge', 'bridge'],
      ['host', 'host'],
      ['none', 'null'],
    ]);
    expect(machine.bridges.get('gantry0')).toMatchObject({
      address: '172.17.0.1/16',
      mtu: 1500,
      create: true,
    });
    expect(machine.sysctls.get('net/ipv4/ip_forward')).toBe('1');
    expect(lastTable()).toContain('elements = { 172.17.0.0/16 . "gantry0" }');
  });

  test('a sandbox gets namespace, address, MAC and route', async () => {
    const service = await boot();
    const sandbox = await service.createSandbox(want('c1'));
    expect(sandbox.endpoints[0]).toMatchObject({
      networkName: 'bridge',
      interfaceName: 'eth0',
      ipv4Address: '172.17.0.2',
      ipv4PrefixLength: 16,
      gateway: '172.17.0.1',
      macAddress: '02:42:ac:11:00:02',
      hostInterface: expect.stringMatching(/^veth[0-9a-f]{7}$/),
    });
    expect(machine.sandboxes.get(sandbox.netnsPath ?? '')?.interfaces).toEqual([
      expect.objectContaining({
        name: 'eth0',
        bridge: 'gantry0',
        address: '172.17.0.2/16',
        gateway: '172.17.0.1',
      }),
    ]);
    expect(service.sandbox('c1')).toEqual(sandbox);
    expect(service.endpointsOf(service.get('bridge').id).map(({ containerId }) => containerId)).toEqual([
      'c1',
    ]);
  });

  test('removal releases everything and may be repeated', async () => {
    const service = await boot();
    await service.createSandbox(want('c1', { ports: [port(8080)] }));
    await service.removeSandbox('c1');
    await service.removeSandbox('c1');
    await service.removeSandbox('never');
    expect(service.sandbox('c1')).toBeUndefined();
    expect(machine.sandboxes.size).toBe(0);
    expect(kernel.openPortsOf.size).toBe(0);
    expect(machine.rules.at(-1)).toBe('delete element inet gantry any_ports { tcp . 8080 }');
    expect((await service.createSandbox(want('c2', { ports: [port(8080)] }))).ports).toHaveLength(2);
  });

  test('none and host have an identity but no address', async () => {
    const service = await boot();
    const none = await service.createSandbox(want('c1', { networkMode: 'none', ports: [port(80)] }));
    const host = await service.createSandbox(want('c2', { networkMode: 'host', ports: [port(80)] }));
    expect([none.netnsPath?.startsWith(`${EXEC_ROOT}/netns/`), host.netnsPath]).toEqual([true, undefined]);
    expect([...none.ports, ...host.ports]).toEqual([]);
    expect([none.endpoints[0]?.networkName, host.endpoints[0]?.networkName]).toEqual(['none', 'host']);
    expect(machine.sandboxes.get(none.netnsPath ?? '')?.interfaces).toEqual([]);
  });

  describe('published ports', () => {
    test('show 0.0.0.0 and :: where both answer', async () => {
      const service = await boot();
      const { ports } = await service.createSandbox(want('c1', { ports: [port(8080)] }));
      expect(ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`)).toEqual([
        '0.0.0.0 8080',
        ':: 8080',
      ]);
      machine.hasIpv6 = false;
      const second = await service.createSandbox(want('c2', { ports: [port(8081)] }));
      expect(second.ports.map(({ hostIp }) => hostIp)).toEqual(['0.0.0.0']);
    });

    test('a port of another container is refused with docker’s text', async () => {
      const service = await boot();
      await service.createSandbox(want('c1', { ports: [port(8080)] }));
      await expect(service.createSandbox(want('c2', { ports: [port(8080)] }))).rejects.toThrow(
        /^driver failed programming external connectivity on endpoint name-c2 \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8080 failed: port is already allocated$/,
      );
      expect(service.sandbox('c2')).toBeUndefined();
      expect((await service.createSandbox(want('c3'))).ports).toEqual([]);
    });

    test('a port of a program on the host is refused, chosen ports step over it', async () => {
      const service = await boot();
      for (const taken of ['tcp/8080', 'tcp/49153']) machine.foreignPorts.add(taken);
      await expect(service.createSandbox(want('c1', { ports: [port(9), port(8080)] }))).rejects.toThrow(
        /\): Error starting userland proxy: listen tcp4 0\.0\.0\.0:8080: bind: address already in use$/,
      );
      const { ports } = await service.createSandbox(want('c1', { ports: [port(9), port()] }));
      expect(ports.map(({ hostPort }) => hostPort)).toEqual([9, 9, 49154, 49154]);
    });

    test('loopback routing is on only while a port is published', async () => {
      const service = await boot();
      const key = 'net/ipv4/conf/gantry0/route_localnet';
      expect(machine.sysctls.get(key)).toBe('0');
      await service.createSandbox(want('c1', { ports: [port(8080)] }));
      expect(machine.sysctls.get(key)).toBe('1');
      await service.removeSandbox('c1');
      expect(machine.sysctls.get(key)).toBe('0');
    });

    test('the default host address applies to ports without one', async () => {
      const service = await boot([], { defaultHostIp: '127.0.0.1' });
      const { ports } = await service.createSandbox(want('c1', { ports: [port(8080)] }));
      expect(ports.map(({ hostIp }) => hostIp)).toEqual(['127.0.0.1']);
    });
  });

  describe('failure', () => {
    test.each(['createSandbox', 'applyRules', 'openPorts'] as const)(
      'of %s leaves nothing behind',
      async (operation) => {
        const service = await boot();
        const rulesBefore = lastTable();
        machine.fail = (called) => {
          if (called === operation) throw Object.assign(new Error('no more'), { code: 'EXFULL' });
        };
        await expect(service.createSandbox(want('c1', { ports: [port(8080)] }))).rejects.toThrow('no more');
        machine.fail = () => {};
        expect([machine.sandboxes.size, kernel.openPortsOf.size, service.sandbox('c1')]).toEqual([
          0,
          0,
          undefined,
        ]);
        const { ports } = await service.createSandbox(want('c1', { ports: [port(8080)] }));
        expect(ports).toHaveLength(2);
        await service.removeSandbox('c1');
        expect(lastTable()).toBe(rulesBefore);
      },
    );

    test('of storing it leaves nothing behind', async () => {
      const full = withFullDisk(metadata);
      const service = await boot([], { metadata: full.metadata });
      const rulesBefore = lastTable();
      full.isFull = true;
      await expect(service.createSandbox(want('c1', { ports: [port(8080)] }))).rejects.toThrow(
        'disk is full',
      );
      full.isFull = false;
      expect([machine.sandboxes.size, kernel.openPortsOf.size, service.sandbox('c1')]).toEqual([
        0,
        0,
        undefined,
      ]);
      const { ports } = await service.createSandbox(want('c2', { ports: [port(8080)] }));
      expect(ports).toHaveLength(2);
      await service.removeSandbox('c2');
      expect(lastTable()).toBe(rulesBefore);
    });

    test('of a rule change rebuilds the table', async () => {
      const service = await boot();
      let failures = 1;
      machine.fail = (called) => {
        if (called === 'applyRules' && failures-- > 0) throw new Error('No such file or directory');
      };
      await service.createSandbox(want('c1', { ports: [port(8080)] }));
      expect(lastTable()).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }');
    });

    test('of a removal keeps the sandbox, so that it can be tried again', async () => {
      const service = await boot();
      await service.createSandbox(want('c1'));
      machine.fail = (called) => {
        if (called === 'removeSandbox') throw new Error('busy');
      };
      await expect(service.removeSandbox('c1')).rejects.toThrow('busy');
      machine.fail = () => {};
      await service.removeSandbox('c1');
      expect(machine.sandboxes.size).toBe(0);
    });
  });

  test('two starts at once get different addresses and ports', async () => {
    const service = await boot();
    const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
    const made = await Promise.all(ids.map((id) => service.createSandbox(want(id, { ports: [port()] }))));
    expect(new Set(made.map(({ endpoints }) => endpoints[0]?.ipv4Address)).size).toBe(50);
    expect(new Set(made.map(({ ports }) => ports[0]?.hostPort)).size).toBe(50);
  });

  describe('restart after a kill', () => {
    test('live sandboxes keep address and ports, dead ones and strangers go', async () => {
      const first = await boot();
      const live = await first.createSandbox(want('live', { ports: [port(8080)] }));
      const dead = await first.createSandbox(want('dead', { ports: [port(8081)] }));
      const stranger = `${EXEC_ROOT}/netns/stranger`;
      machine.sandboxes.set(stranger, {
        netnsPath: stranger,
        disableIpv6: true,
        sysctls: {
          'net.ipv4.ip_unprivileged_port_start': '0',
          'net.ipv4.ping_group_range': '0 2147483647',
        },
        interfaces: [],
      });
      kernel.kill();

      const second = await boot(['live']);
      expect([...machine.sandboxes.keys()]).toEqual([live.netnsPath ?? '']);
      expect(machine.sandboxes.has(dead.netnsPath ?? '')).toBe(false);
      expect(second.sandbox('live')).toEqual(live);
      expect(second.sandbox('dead')).toBeUndefined();
      expect(lastTable()).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }');
      expect(kernel.openPortsOf.get('live')?.map(({ hostIp, port: at }) => [hostIp, at])).toEqual([
        ['', 8080],
      ]);

      const next = await second.createSandbox(want('new', { ports: [port(8081)] }));
      expect(next.endpoints[0]?.ipv4Address).toBe('172.17.0.3');
      await expect(second.createSandbox(want('late', { ports: [port(8080)] }))).rejects.toThrow(
        'already allocated',
      );
    });

    test('fifty times with a hundred ports: reservations equal the live containers', async () => {
      let service = await boot();
      const ports = Array.from({ length: 100 }, (_, index) => port(8000 + index));
      for (let round = 0; round < 50; round += 1) {
        await service.createSandbox(want(`c${round}`, { ports }));
        kernel.kill();
        service = await boot([`c${round}`]);
        expect(kernel.openPortsOf.get(`c${round}`)).toHaveLength(100);
        await service.removeSandbox(`c${round}`);
        expect(kernel.openPortsOf.size).toBe(0);
      }
    });

    test('the bridge keeps its network although its own route is there now', async () => {
      await boot();
      machine.facts = {
        ...machine.facts,
        addresses: [...machine.facts.addresses, { cidr: '172.17.0.1/16', interfaceName: 'gantry0' }],
        routes: [...machine.facts.routes, { destination: '172.17.0.0/16', interfaceName: 'gantry0' }],
      };
      kernel.kill();
      const service = await boot();
      expect(service.get('bridge').ipam[0]?.subnet).toBe('172.17.0.0/16');
    });

    test('a network that a VPN took meanwhile is given up when nobody uses it', async () => {
      const first = await boot();
      const { id } = first.get('bridge');
      machine.facts = { ...machine.facts, routes: [{ destination: '172.16.0.0/12', interfaceName: 'tun0' }] };
      kernel.kill();
      const service = await boot();
      expect([service.get('bridge').ipam[0]?.subnet, service.get('bridge').id]).toEqual([
        '192.168.0.0/20',
        id,
      ]);
    });
  });

  describe('options of the default bridge', () => {
    const ipamWith = async (bridge: NetworkServiceOptions['bridge']) =>
      (await boot([], bridge ? { bridge } : {})).get('bridge').ipam[0];

    test('bip, fixed-cidr, default gateway, mtu', async () => {
      const ipam = await ipamWith({
        name: 'br-x',
        bip: '10.5.0.1/24',
        fixedCidr: '10.5.0.128/25',
        defaultGateway: '10.5.0.254',
        mtu: 1400,
      });
      expect(ipam).toEqual({ subnet: '10.5.0.0/24', gateway: '10.5.0.254', ipRange: '10.5.0.128/25' });
      expect(machine.bridges.get('br-x')).toMatchObject({ address: '10.5.0.1/24', mtu: 1400 });
      expect(machine.rules.at(-1)).toContain('table inet gantry_br_2dx {');
    });

    test('a bridge that exists is used as it is and stays', async () => {
      machine.facts = {
        ...machine.facts,
        links: [...machine.facts.links, { name: 'lan0', kind: 'bridge', master: undefined }],
        addresses: [{ cidr: '10.9.0.5/24', interfaceName: 'lan0' }],
      };
      const service = await boot([], { bridge: { name: 'lan0' } });
      expect(service.get('bridge').ipam[0]).toEqual({ subnet: '10.9.0.0/24', gateway: '10.9.0.5' });
      expect(machine.bridges.get('lan0')).toMatchObject({ create: false, exclusive: false });
      await service.stop({ removeAll: true });
      expect(machine.bridges.has('lan0')).toBe(true);
      await expect(boot([], { bridge: { name: 'lan0', bip: '10.9.0.6/24' } })).rejects.toThrow(
        'mutually exclusive',
      );
    });

    test.each([
      [{ name: 'has space' }, 'invalid bridge name "has space"'],
      [{ bip: '10.0.0.0/24' }, 'invalid subnet 10.0.0.0/24'],
      [{ bip: '10.0.0.1/24', fixedCidr: '10.0.1.0/25' }, 'not inside the network 10.0.0.0/24'],
      [{ defaultGateway: 'x' }, 'invalid IPv4 address: x'],
    ])('refuses %p', async (bridge, message) => {
      await expect(ipamWith(bridge)).rejects.toThrow(message);
    });

    test('another bridge takes over once nobody uses the old one', async () => {
      const first = await boot();
      await first.createSandbox(want('c1'));
      kernel.kill();
      expect((await boot(['c1'], { bridge: { name: 'other0' } })).get('bridge').bridgeName).toBe('gantry0');
      kernel.kill();
      expect((await boot([], { bridge: { name: 'other0' } })).get('bridge').bridgeName).toBe('other0');
      expect([...machine.bridges.keys()]).toEqual(['other0']);
    });
  });

  test('a fresh Worker is given claim, rules and ports again', async () => {
    const service = await boot();
    await service.createSandbox(want('c1', { ports: [port(8080)] }));
    kernel.kill();
    machine.rules.length = 0;
    events.onRestarted();
    await service.stop();
    expect(lastTable()).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }');
  });

  describe('a fresh Worker that cannot be set up', () => {
    /** A service with a published port whose Worker has just ended, while `operation` fails. */
    async function restartWithout(operation: string, options: Partial<NetworkServiceOptions> = {}) {
      const clock = createManualClock();
      const service = await boot([], { clock, ...options });
      await service.createSandbox(want('c1', { ports: [port(8080)] }));
      kernel.kill();
      machine.rules.length = 0;
      machine.fail = (called) => {
        if (called === operation) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      };
      events.onRestarted();
      await clock.settle();
      return { clock, service };
    }

    test('is tried again until it can, with growing pauses', async () => {
      const { clock, service } = await restartWithout('applyRules');
      expect(clock.pending).toBe(1);
      await clock.advance(100 + 200 + 400 + 100);
      expect(machine.rules).toEqual([]);
      machine.fail = () => {};
      await clock.advance(600);
      expect(machine.rules).toEqual([]);
      await clock.advance(100);
      expect(lastTable()).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }');
      expect(kernel.openPortsOf.get('c1')?.length).toBe(1);
      expect(clock.pending).toBe(0);
      await service.stop();
    });

    test('is left when the service stops', async () => {
      const { clock, service } = await restartWithout('claimBridge');
      await service.stop();
      machine.fail = () => {};
      await clock.advance(60_000);
      expect(machine.rules).toEqual([]);
      expect(clock.pending).toBe(0);
    });

    test('keeps no damaged table from being written again', async () => {
      const { clock, service } = await restartWithout('openPorts');
      machine.rules.length = 0;
      events.onRulesDamaged();
      await clock.settle();
      expect(machine.rules).toHaveLength(1);
      await service.stop();
    });
  });

  test('ports that cannot be held for want of descriptors are held later, at a start too', async () => {
    const clock = createManualClock();
    const first = await boot();
    await first.createSandbox(want('live', { ports: [port(8080)] }));
    kernel.kill();
    machine.portErrno = 'EMFILE';
    const second = await boot(['live'], { clock });
    expect(kernel.openPortsOf.get('live')).toBeUndefined();
    machine.portErrno = undefined;
    await clock.advance(100);
    expect(kernel.openPortsOf.get('live')?.map(({ port: at }) => at)).toEqual([8080]);
    await second.stop();
  });

  test('a damaged table is written again, whole', async () => {
    const service = await boot();
    await service.createSandbox(want('c1', { ports: [port(8080)] }));
    machine.rules.length = 0;
    events.onRulesDamaged();
    await service.stop();
    expect(machine.rules).toHaveLength(1);
    expect(lastTable()).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }');
  });

  describe('several daemons on one machine', () => {
    const bootBeside = (execRoot: string, name?: string) => {
      metadata = createMemoryMetadataStore();
      return boot([], { execRoot, ...(name ? { bridge: { name } } : {}) });
    };
    const bridgeOf = (service: NetworkService) => service.get('bridge').bridgeName;

    test('each finds a bridge and a table of its own', async () => {
      await boot();
      const second = await bootBeside('/run/second');
      expect(bridgeOf(second)).toBe('gantry1');
      expect(machine.rules.at(-1)).toContain('table inet gantry_gantry1 {');
      await second.createSandbox(want('c1'));
      expect(bridgeOf(await bootBeside('/run/third'))).toBe('gantry2');
    });

    test('a name asked for is not shared', async () => {
      await boot();
      await expect(bootBeside('/run/second', 'gantry0')).rejects.toThrow(
        'bridge "gantry0" belongs to another running daemon',
      );
    });

    test('the bridge of a dead daemon stays its own while containers are plugged in', async () => {
      const first = await boot();
      await first.createSandbox(want('c1'));
      const firstMetadata = metadata;
      kernel.kill();
      expect(bridgeOf(await bootBeside('/run/second'))).toBe('gantry1');
      metadata = firstMetadata;
      expect(bridgeOf(await boot(['c1']))).toBe('gantry0');
    });

    test('an empty bridge of a dead daemon is taken over, and its owner moves on', async () => {
      await boot();
      const firstMetadata = metadata;
      kernel.kill();
      expect(bridgeOf(await bootBeside('/run/second'))).toBe('gantry0');
      metadata = firstMetadata;
      expect(bridgeOf(await boot())).toBe('gantry1');
    });
  });

  test('stop leaves the machine as it is, removeAll leaves nothing', async () => {
    const service = await boot();
    await service.createSandbox(want('c1'));
    await expect(service.stop({ removeAll: true })).rejects.toThrow('1 containers are attached');
    await service.removeSandbox('c1');
    await service.stop({ removeAll: true });
    expect([machine.bridges.size, machine.claims.size]).toEqual([0, 0]);
    expect(machine.rules.at(-1)).toBe('add table inet gantry\ndelete table inet gantry');
  });

  test.each([
    [{ networkMode: 'nowhere' }, 'network nowhere not found', 'not_found'],
    [
      { endpoints: { bridge: { ipv4Address: '172.17.0.9' } } },
      'user specified IP address',
      'invalid_argument',
    ],
    [{ endpoints: { default: { aliases: ['db'] } } }, 'network-scoped alias', 'invalid_argument'],
    [
      { endpoints: { bridge: { macAddress: '01:00:00:00:00:01' } } },
      'invalid mac address',
      'invalid_argument',
    ],
    [{ ports: [port(70000)] }, 'invalid port: 70000', 'invalid_argument'],
    [{ ports: [port(1, { hostIp: 'x' })] }, 'invalid IP address: x', 'invalid_argument'],
    [{ ports: [port(9, { hostPortEnd: 8 })] }, 'invalid range format for hostPort: 9-8', 'invalid_argument'],
  ])('validate refuses %p', async (extra, message, code) => {
    const service = await boot();
    const check = () => service.validate(want('c1', extra as Partial<SandboxRequest>));
    expect(check).toThrow(message);
    let thrown: unknown;
    try {
      check();
    } catch (error) {
      thrown = error;
    }
    expect(errorCode(thrown)).toBe(code as ReturnType<typeof errorCode>);
  });

  test('networks are found by name, ID and unique prefix', async () => {
    const service = await boot();
    const { id } = service.get('default');
    expect([service.get(id).name, service.get(id.slice(0, 12)).name]).toEqual(['bridge', 'bridge']);
  });
});

/** The same store, whose sandboxes cannot be written while `isFull`. */
function withFullDisk(metadata: MetadataStore): { readonly metadata: MetadataStore; isFull: boolean } {
  const state = {
    isFull: false,
    metadata: {
      ...metadata,
      collection: <T>(name: string, decode: (stored: unknown) => T) => {
        const collection = metadata.collection(name, decode);
        return {
          ...collection,
          put: (key: string, value: T) => {
            if (state.isFull && name === 'network_sandboxes') throw new Error('database or disk is full');
            collection.put(key, value);
          },
        };
      },
    },
  };
  return state;
}
