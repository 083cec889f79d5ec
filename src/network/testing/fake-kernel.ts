import { basename, join } from 'node:path';
import type {
  BridgeSpec,
  FlowPort,
  HostFacts,
  HostPort,
  KernelEvents,
  NetworkKernel,
  OpenedPort,
  SandboxPlan,
} from '../kernel.ts';

/** A machine in memory. It outlives the kernels opened on it, as a machine outlives daemons. */
export interface FakeMachine {
  /** Opens a kernel, as a daemon does at its start. */
  open(events: KernelEvents): FakeKernel;
  readonly bridges: Map<string, BridgeSpec>;
  readonly sandboxes: Map<string, SandboxPlan>;
  readonly sysctls: Map<string, string>;
  /** Every transaction so far. */
  readonly rules: string[];
  /** Ports whose flows were to be forgotten, in order. */
  readonly forgotten: FlowPort[];
  /** Claimed bridge names. */
  readonly claims: Set<string>;
  /** `tcp/80` held by programs that are not ours. */
  readonly foreignPorts: Set<string>;
  /** Why no port can be opened at all. */
  portErrno: string | undefined;
  facts: HostFacts;
  hasIpv6: boolean;
  /** Called before each operation with its name; throw to make it fail. */
  fail: (operation: keyof NetworkKernel) => void;
}

export interface FakeKernel extends NetworkKernel {
  /** Owner to what it holds open. */
  readonly openPortsOf: Map<string, HostPort[]>;
  /** Dies without cleaning up, as a killed daemon does: claims and sockets go, the rest stays. */
  kill(): void;
}

/** A machine with one Ethernet interface and nothing else. */
export function createFakeMachine(): FakeMachine {
  const machine: FakeMachine = {
    open: (events) => createFakeKernel(machine, events),
    bridges: new Map(),
    sandboxes: new Map(),
    sysctls: new Map([['net/ipv4/ip_forward', '0']]),
    rules: [],
    forgotten: [],
    claims: new Set(),
    foreignPorts: new Set(),
    portErrno: undefined,
    facts: {
      links: [{ name: 'eth0', kind: undefined, master: undefined }],
      addresses: [{ cidr: '192.0.2.2/24', interfaceName: 'eth0' }],
      routes: [{ destination: '192.0.2.0/24', interfaceName: 'eth0' }],
    },
    hasIpv6: true,
    fail: () => {},
  };
  return machine;
}

function createFakeKernel(machine: FakeMachine, _events: KernelEvents): FakeKernel {
  const openPortsOf = new Map<string, HostPort[]>();
  const claims = new Set<string>();
  const kill = () => {
    for (const name of claims) machine.claims.delete(name);
    openPortsOf.clear();
  };
  const open = ({ protocol, port, hostIp }: HostPort): OpenedPort => {
    const errno = machine.foreignPorts.has(`${protocol}/${port}`) ? 'EADDRINUSE' : machine.portErrno;
    return errno === undefined ? { ok: true, ipv6: hostIp === '' && machine.hasIpv6 } : { ok: false, errno };
  };
  const kernel: Omit<FakeKernel, 'openPortsOf' | 'kill'> = {
    hostFacts: async () => ({ ...machine.facts, links: [...machine.facts.links, ...linksOf(machine)] }),
    async claimBridge(name) {
      if (machine.claims.has(name) && !claims.has(name)) return false;
      machine.claims.add(name);
      claims.add(name);
      return true;
    },
    ensureBridge: async (spec) => void machine.bridges.set(spec.name, spec),
    removeBridge: async (name) => void machine.bridges.delete(name),
    reattach: async () => true,
    async ensureSysctl(path, value) {
      const isChanged = machine.sysctls.get(path) !== value;
      machine.sysctls.set(path, value);
      return isChanged;
    },
    async openPorts(owner, ports) {
      const results = ports.map(open);
      const isWhole = results.every(({ ok }) => ok);
      if (isWhole) openPortsOf.set(owner, [...(openPortsOf.get(owner) ?? []), ...ports]);
      return results;
    },
    closePorts: async (owner) => void openPortsOf.delete(owner),
    createSandbox: async (plan) => void machine.sandboxes.set(plan.netnsPath, plan),
    removeSandbox: async (path) => void machine.sandboxes.delete(path),
    pinnedNamespaces: async (directory) =>
      [...machine.sandboxes.keys()]
        .filter((path) => path === join(directory, basename(path)))
        .map((path) => basename(path)),
    applyRules: async (commands) => void machine.rules.push(commands),
    forgetFlows: async (ports) => void machine.forgotten.push(...ports),
    watchRules: async () => {},
    close: async () => kill(),
  };
  return { ...withFailures(kernel, machine), openPortsOf, kill };
}

const linksOf = (machine: FakeMachine): HostFacts['links'] => [
  ...[...machine.bridges.keys()].map((name) => ({ name, kind: 'bridge', master: undefined })),
  ...[...machine.sandboxes.values()].flatMap(({ interfaces }) =>
    interfaces.map(({ hostName, bridge }) => ({ name: hostName, kind: 'veth', master: bridge })),
  ),
];

function withFailures<T extends Partial<NetworkKernel>>(kernel: T, machine: FakeMachine): T {
  const wrapped = Object.entries(kernel).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      machine.fail(name as keyof NetworkKernel);
      return await (method as (...args: unknown[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
