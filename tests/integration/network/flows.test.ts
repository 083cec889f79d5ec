import { afterEach, beforeEach, expect, test } from 'bun:test';
import { silentLogger } from '#base';
import { createNetworkService, type NetworkService, type Sandbox } from '#network';
import { createMemoryMetadataStore } from '#store/testing';
import { eventually } from '../../harness/eventually.ts';
import { HOST_IP, Lab, NEIGHBOUR_IP } from './lab.ts';
import { inPrivateNamespace } from './private-namespace.ts';

inPrivateNamespace(import.meta.path, () => {
  let lab: Lab;
  let service: NetworkService;

  beforeEach(async () => {
    lab = new Lab();
    service = createNetworkService({
      metadata: createMemoryMetadataStore(),
      execRoot: lab.directory,
      logger: silentLogger,
    });
    await service.start(new Set());
  });
  afterEach(async () => {
    await service.stop();
    await lab[Symbol.asyncDispose]();
  });

  const publish = (id: string): Promise<Sandbox> =>
    service.createSandbox({
      containerId: id,
      containerName: id,
      networkMode: 'bridge',
      ports: [{ containerPort: 53, protocol: 'udp', hostIp: '', hostPort: 5300 }],
    });
  /** Always from the same port, so that all datagrams are one flow. */
  const ask = () => lab.ask(lab.neighbour, 'udp', HOST_IP, 5300, 40_000);
  const answer = `from ${NEIGHBOUR_IP}: hello`;

  test('a client that goes on sending reaches the container that has the port now', async () => {
    const first = await publish('first');
    await lab.serve(first.netnsPath, 'udp', 53);
    expect(await ask()).toBe(answer);
    await service.removeSandbox('first');
    expect(await ask()).toBeUndefined();
    const second = await publish('second');
    expect(second.endpoints[0]?.ipv4Address).not.toBe(first.endpoints[0]?.ipv4Address);
    await lab.serve(second.netnsPath, 'udp', 53);
    await eventually('the second container to answer', async () => (await ask()) === answer);
    await service.removeSandbox('second');
  });

  test('a client that sent before the port was published reaches the container', async () => {
    expect(await ask()).toBeUndefined();
    const sandbox = await publish('late');
    await lab.serve(sandbox.netnsPath, 'udp', 53);
    expect(await ask()).toBe(answer);
    await service.removeSandbox('late');
  });

  test('flows that only pass through this host to the same port of others stay', async () => {
    const out = await service.createSandbox({
      containerId: 'out',
      containerName: 'out',
      networkMode: 'bridge',
      ports: [],
    });
    await lab.serve(lab.neighbour, 'udp', 5300);
    expect(await lab.ask(out.netnsPath, 'udp', NEIGHBOUR_IP, 5300, 40_000)).toBe(`from ${HOST_IP}: hello`);
    const tracked = () =>
      lab
        .run(undefined, 'cat', '/proc/net/nf_conntrack')
        .split('\n')
        .filter((line) => line.includes('sport=40000'));
    const before = tracked().length;
    await publish('web');
    expect([before, tracked().length]).toEqual([1, 1]);
    await service.removeSandbox('web');
    await service.removeSandbox('out');
  });
});
