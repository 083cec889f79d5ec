import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSys, type FlowSocket, type RulesMonitor } from '#sys';

const sys = createSys();
let dir: string;
let space: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-netfilter-'));
  space = join(dir, 'space');
  sys.namespaces.createNetwork(space);
});
afterEach(() => {
  sys.namespaces.removeNetwork(space);
  rmSync(dir, { recursive: true });
});

function inside(...command: string[]): string {
  const { success, stdout, stderr } = sys.namespaces.withNetwork(space, () => Bun.spawnSync(command));
  if (!success) throw new Error(`${command.join(' ')}: ${stderr}`);
  return stdout.toString();
}

const openMonitor = (): RulesMonitor => sys.namespaces.withNetwork(space, () => sys.openRulesMonitor());
const openFlows = (): FlowSocket => sys.namespaces.withNetwork(space, () => sys.openFlows());

test('the monitor names the tables of each transaction, whoever made it', () => {
  using monitor = openMonitor();
  expect(monitor.read()).toEqual({ transactions: [], isComplete: true });
  inside('nft', 'add table inet one; add chain inet one c; add rule inet one c accept; add table ip two');
  inside('nft', 'flush chain inet one c');
  using nft = sys.namespaces.withNetwork(space, () => sys.openNftables());
  nft.run('add set inet one s { type ifname; }; add element inet one s { "lo" }');
  nft.run('delete table ip two');
  const { transactions, isComplete } = monitor.read();
  expect(transactions.map((tables) => [...tables])).toEqual([
    ['inet one', 'ip two'],
    ['inet one'],
    ['inet one'],
    ['ip two'],
  ]);
  expect(isComplete).toBe(true);
  expect(monitor.read().transactions).toEqual([]);
});

test('the monitor says nothing of a transaction that failed, and stays in its namespace', () => {
  using monitor = openMonitor();
  expect(() => inside('nft', 'add table inet one; add rule inet one absent accept')).toThrow();
  expect(monitor.read()).toEqual({ transactions: [], isComplete: true });
});

test('UDP flows are found by the port they were sent to, and deleted', async () => {
  inside('ip', 'link', 'set', 'lo', 'up');
  // Connection tracking is switched on by the first rule that needs it.
  inside('nft', 'add table inet t; add chain inet t c { type filter hook output priority 0; }');
  inside('nft', 'add rule inet t c ct state invalid drop');
  using flows = openFlows();
  expect(flows.udpFlowsTo(5300)).toEqual([]);
  for (const port of ['5300', '5301']) inside('bash', '-c', `echo x >/dev/udp/127.0.0.1/${port}`);
  const found = flows.udpFlowsTo(5300);
  expect(found).toMatchObject([{ destination: '127.0.0.1', destinationPort: 5300, receiver: '127.0.0.1' }]);
  const [flow] = found;
  if (!flow) throw new Error('no flow');
  expect([flows.deleteFlow(flow), flows.deleteFlow(flow)]).toEqual([true, false]);
  expect(flows.udpFlowsTo(5300)).toEqual([]);
  expect(flows.udpFlowsTo(5301)).toHaveLength(1);
});
