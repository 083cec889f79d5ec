import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Logger, silentLogger } from '#base';
import { createNetworkService, type NetworkService, type PortRequest, type Sandbox } from '#network';
import { createMemoryMetadataStore } from '#store/testing';
import { createSys, type RulesMonitor } from '#sys';
import { eventually } from '../../harness/eventually.ts';
import { HOST_IP, Lab, NEIGHBOUR_IP } from './lab.ts';
import { inPrivateNamespace } from './private-namespace.ts';

inPrivateNamespace(import.meta.path, () => {
  let lab: Lab;
  let service: NetworkService;
  let web: Sandbox;
  let restores = 0;

  beforeAll(async () => {
    lab = new Lab();
    const logger: Logger = {
      ...silentLogger,
      warn: (text: string) => {
        if (text.includes('has been restored')) restores += 1;
      },
    };
    service = createNetworkService({
      metadata: createMemoryMetadataStore(),
      execRoot: lab.directory,
      logger,
      // Only notifications count here.
      rulesCheckMs: 0,
    });
    await service.start(new Set());
    web = await plug('web', [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 }]);
    await lab.serve(web.netnsPath, 'tcp', 80);
    lab.run(lab.neighbour, 'ip', 'route', 'add', '172.17.0.0/16', 'via', HOST_IP);
  });
  afterAll(async () => {
    await service.stop();
    await lab[Symbol.asyncDispose]();
  });

  const plug = (containerId: string, ports: PortRequest[] = []): Promise<Sandbox> =>
    service.createSandbox({ containerId, containerName: containerId, networkMode: 'bridge', ports });
  const nft = (...command: string[]) => lab.run(undefined, 'nft', ...command);
  const table = () => nft('list', 'table', 'inet', 'gantry');
  /** Without handles and counters: the same text means the same rules. */
  const isWhole = (before: string) =>
    Bun.spawnSync(['nft', 'list', 'table', 'inet', 'gantry']).stdout.toString() === before;

  /** So long nobody has restored anything: a restore that is due comes after a tenth of it. */
  const QUIET_MS = 1000;
  async function restoresAtRest(): Promise<number> {
    let [seen, since] = [restores, performance.now()];
    return await eventually('the restores to end', () => {
      if (restores !== seen) [seen, since] = [restores, performance.now()];
      return performance.now() - since > QUIET_MS && { seen };
    }).then(({ seen: last }) => last);
  }

  /** All that the monitor tells up to now: reads until it tells of a transaction made for that. */
  async function transactionsOf(monitor: RulesMonitor): Promise<ReadonlySet<string>[]> {
    const mark = `mark${performance.now().toString().replace('.', '')}`;
    nft(`add table ip ${mark}; delete table ip ${mark}`);
    const found: ReadonlySet<string>[] = [];
    await eventually('the mark', () => {
      found.push(...monitor.read().transactions);
      return found.some((tables) => tables.has(`ip ${mark}`));
    });
    return found;
  }

  const DAMAGES: readonly (readonly [string, string])[] = [
    ['the ruleset flushed', 'flush ruleset'],
    ['our table deleted', 'delete table inet gantry'],
    ['our table flushed', 'flush table inet gantry'],
    ['one chain flushed', 'flush chain inet gantry guard'],
    ['a rule inserted', 'insert rule inet gantry forwarding accept'],
    ['a set emptied', 'flush set inet gantry bridges'],
    ['a port removed', 'delete element inet gantry any_ports { tcp . 8080 }'],
  ];
  test.each(DAMAGES)('%s: a notification brings everything back', async (what, command) => {
    const before = table();
    const started = performance.now();
    nft(command);
    await eventually('the rules', () => isWhole(before));
    console.log(`${what}: back after ${(performance.now() - started).toFixed(0)} ms`);
    expect(await lab.ask(lab.neighbour, 'tcp', HOST_IP, 8080)).toBe(`from ${NEIGHBOUR_IP}`);
  });

  test('one rule deleted by its handle comes back', async () => {
    const before = table();
    const handle = /drop # handle (\d+)/.exec(nft('-a', 'list', 'chain', 'inet', 'gantry', 'guard'))?.[1];
    nft(`delete rule inet gantry guard handle ${handle}`);
    await eventually('the rule', () => isWhole(before));
  });

  test('our own changes and those of others to their tables restore nothing', async () => {
    const before = await restoresAtRest();
    using monitor = createSys().openRulesMonitor();
    nft('add table ip other; add chain ip other c; delete table ip other');
    for (let round = 0; round < 10; round += 1) {
      await plug(`own${round}`, [{ containerPort: 1, protocol: 'tcp', hostIp: '', hostPort: undefined }]);
      await service.removeSandbox(`own${round}`);
    }
    const after = await restoresAtRest();
    // Ten times an element added and one deleted, the other program's, and no rebuild.
    const all = await transactionsOf(monitor);
    const ours = all.filter((tables) => tables.has('inet gantry'));
    const others = all.filter((tables) => tables.has('ip other'));
    expect([ours.length, others.length, after]).toEqual([20, 1, before]);
  });

  test('somebody who flushes all the time: bounded work, and the rules are there when he ends', async () => {
    const before = table();
    const restoresBefore = await restoresAtRest();
    const started = performance.now();
    const noise = lab.spawn('sh', '-c', 'while :; do nft flush table inet gantry 2>/dev/null; done');
    await eventually('ten restores', () => restores - restoresBefore >= 10);
    noise.kill('SIGKILL');
    await noise.exited;
    const noisyMs = performance.now() - started;
    await eventually('the rules', () => isWhole(before));
    // One at once, then at most one in 100 ms, and those for what came last.
    expect((await restoresAtRest()) - restoresBefore).toBeLessThan(noisyMs / 100 + 3);
  });

  test('a neighbour that keeps trying finds an unpublished port open for a moment, and the flow he got ends', async () => {
    await lab.serve(web.netnsPath, 'udp', 9999);
    const address = web.endpoints[0]?.ipv4Address ?? '';
    const before = table();
    const window: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      const probe = lab.spawn('nsenter', `--net=${lab.neighbour}`, process.execPath, PROBE, address, '9999');
      const output = probe.stdout.pipeThrough(new TextDecoderStream()).getReader();
      expect((await output.read()).value).toBe('sending\n');
      nft('flush ruleset');
      await eventually('the rules', () => isWhole(before));
      probe.kill('SIGUSR1');
      window.push(Number((await output.read()).value).toFixed(0));
    }
    console.log(`open to a neighbour after a flush: ${window.join(' ')} ms`);
  }, 60_000);
});

const PROBE = `${import.meta.dir}/fixtures/probe.ts`;
