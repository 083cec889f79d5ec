import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { createNetworkService, type NetworkService, type Sandbox } from '#network';
import { openMetadataStore } from '#store';
import { eventually } from '../../harness/eventually.ts';
import { DAEMON_FIXTURE, firstLine, HOST_IP, Lab, NEIGHBOUR_IP } from './lab.ts';
import { inPrivateNamespace } from './private-namespace.ts';

const PORT = 8080;

inPrivateNamespace(import.meta.path, () => {
  let lab: Lab;
  beforeEach(() => {
    lab = new Lab();
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
  });

  const open = (execRoot = lab.directory): NetworkService =>
    createNetworkService({
      metadata: openMetadataStore({ path: `${execRoot}/meta.db`, logger: silentLogger }),
      execRoot,
      logger: silentLogger,
    });

  /** A daemon that has made one sandbox and is killed; a server runs in it. */
  async function killedDaemon(): Promise<Sandbox> {
    const daemon = lab.spawn(process.execPath, DAEMON_FIXTURE, lab.directory, String(PORT));
    const sandbox = JSON.parse(await firstLine(daemon.stdout)) as Sandbox;
    await lab.serve(sandbox.netnsPath, 'tcp', 80);
    daemon.kill('SIGKILL');
    await daemon.exited;
    return sandbox;
  }

  test('a published port answers on while the daemon is dead, on loopback too', async () => {
    await killedDaemon();
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, PORT)).toBe(`from ${NEIGHBOUR_IP}`);
    expect(await lab.ask(undefined, 'tcp', '127.0.0.1', PORT)).toBe('from 172.17.0.1');
  });

  test('the next daemon adopts a live sandbox, with address, ports and IPv6', async () => {
    const sandbox = await killedDaemon();
    const service = open();
    await service.start(new Set(['survivor']));
    expect(service.sandbox('survivor')).toEqual(sandbox);
    expect(await lab.ask(undefined, 'tcp', '::1', PORT)).toBe('from 172.17.0.1');
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, PORT)).toBe(`from ${NEIGHBOUR_IP}`);
    await expect(
      service.createSandbox({
        containerId: 'rival',
        containerName: 'rival',
        networkMode: 'bridge',
        ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: PORT }],
      }),
    ).rejects.toThrow('Bind for 0.0.0.0:8080 failed: port is already allocated');
    await service.removeSandbox('survivor');
    expect(await lab.ask(undefined, 'tcp', '127.0.0.1', PORT)).toBeUndefined();
    await service.stop({ removeAll: true });
  });

  test('the next daemon releases a dead sandbox and leaves nothing of it', async () => {
    const sandbox = await killedDaemon();
    const service = open();
    await service.start(new Set());
    expect([service.sandbox('survivor'), existsSync(sandbox.netnsPath ?? '')]).toEqual([undefined, false]);
    expect(await lab.ask(undefined, 'tcp', '127.0.0.1', PORT)).toBeUndefined();
    await service.stop({ removeAll: true });
    expect(lab.run(undefined, 'nft', 'list', 'ruleset')).toBe('');
    expect(lab.run(undefined, 'ip', '-br', 'link')).not.toContain('gantry0');
    expect(readdirSync(`${lab.directory}/netns`)).toEqual([]);
  });

  test('when bridge and table were removed meanwhile, live containers are plugged in again', async () => {
    await killedDaemon();
    lab.run(undefined, 'nft', 'flush', 'ruleset');
    lab.run(undefined, 'ip', 'link', 'del', 'gantry0');
    const service = open();
    await service.start(new Set(['survivor']));
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, PORT)).toBe(`from ${NEIGHBOUR_IP}`);
    await service.removeSandbox('survivor');
    await service.stop({ removeAll: true });
  });

  test('two daemons side by side have bridges, networks and tables of their own', async () => {
    const first = open();
    await first.start(new Set());
    const second = open(join(lab.directory, 'second'));
    await second.start(new Set());
    for (const key of ['bridgeName', 'ipam'] as const) {
      expect(first.get('bridge')[key]).not.toEqual(second.get('bridge')[key]);
    }
    const request = { containerId: 'a', containerName: 'a', networkMode: 'bridge', ports: [] };
    const a = await first.createSandbox(request);
    const b = await second.createSandbox(request);
    const address = b.endpoints[0]?.ipv4Address ?? '';
    await lab.serve(b.netnsPath, 'tcp', 80);
    expect(await lab.ask(undefined, 'tcp', address, 80)).toContain('from ');
    // Networks are apart, across daemons too.
    expect(await lab.ask(a.netnsPath, 'tcp', address, 80)).toBeUndefined();
    await first.removeSandbox('a');
    await first.stop({ removeAll: true });
    expect(await lab.ask(undefined, 'tcp', address, 80)).toContain('from ');
    await second.removeSandbox('a');
    await second.stop({ removeAll: true });
    expect(lab.run(undefined, 'nft', 'list', 'ruleset')).toBe('');
  });

  test('a service that is stopped can be followed by another in the same process', async () => {
    for (let round = 0; round < 3; round += 1) {
      const service = open();
      await service.start(new Set());
      await service.stop();
    }
    await eventually('the claim to be free', async () => {
      const service = open();
      await service.start(new Set());
      await service.stop({ removeAll: true });
      return true;
    });
  });
});
