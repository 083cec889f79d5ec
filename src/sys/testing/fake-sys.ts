import { SysError } from '../errors.ts';
import { createSockets } from '../sockets.ts';
import type {
  CgroupMode,
  FdOps,
  FlowSocket,
  Namespaces,
  Nftables,
  RouteSocket,
  RulesChanges,
  RulesMonitor,
  Sys,
  UserNamespace,
} from '../types.ts';
import { CallLog, type FakeCall } from './call-log.ts';
import { FakeCgroups } from './fake-cgroups.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeMounts } from './fake-mounts.ts';
import { FakeNetwork, FakeRouteSocket } from './fake-network.ts';
import { FakeProcesses } from './fake-processes.ts';

/** A `Sys` for unit tests: in memory, except that files below temporary directories and sockets are real. */
export interface FakeSys extends Sys {
  /** Everything that was called, in order. */
  readonly calls: readonly FakeCall[];
  /** The calls of one name, such as `netlink.createVeth`. */
  named(name: string): FakeCall[];
  /** Makes the next call of `name` throw `error`. */
  failNext(name: string, error: unknown): void;
  /** Processes that exist only in the fake. */
  readonly processTable: FakeProcesses;
  /** The in-memory counterpart of `createFdOps()`, which records ownership and attributes. */
  readonly fdOps: FdOps;
  /** Paths of the network namespaces that exist now. */
  readonly networks: ReadonlySet<string>;
  /** Texts given to `Nftables.run`, in order, with the namespace of the context (undefined: the host's). */
  readonly nftCommands: readonly { readonly netns: string | undefined; readonly commands: string }[];
  /** What `Nftables.query` answers, by command. Other commands list nothing. */
  readonly nftListings: Map<string, readonly Record<string, unknown>[]>;
}

/** Options of {@link createFakeSys}. */
export interface FakeSysOptions {
  /** Default `unified`. */
  readonly cgroupMode?: CgroupMode;
}

/** Makes a fake kernel with nothing in it but the host's loopback. */
export function createFakeSys(options: FakeSysOptions = {}): FakeSys {
  const log = new CallLog();
  const world = new FakeNetworks(log);
  const files = new FakeFiles();
  const processTable = new FakeProcesses();
  return {
    mounts: log.record('mounts', new FakeMounts()),
    files: log.record('files', files),
    namespaces: log.record('namespaces', world.namespaces),
    processes: log.record('processes', processTable),
    sockets: log.record('sockets', createSockets()),
    cgroups: log.record('cgroups', new FakeCgroups(options.cgroupMode ?? 'unified')),
    openNetlink: (netnsPath) => world.openNetlink(netnsPath),
    openNftables: () => world.openNftables(),
    openRulesMonitor: () => world.openRulesMonitor(),
    openFlows: () => world.openFlows(),
    calls: log.calls,
    named: (name) => log.named(name),
    failNext: (name, error) => log.failNext(name, error),
    processTable,
    fdOps: files.fdOps,
    get networks() {
      return world.paths();
    },
    nftCommands: world.nftCommands,
    nftListings: world.nftListings,
  };
}

/** All network namespaces and the one the caller is in. */
class FakeNetworks {
  readonly nftCommands: { netns: string | undefined; commands: string }[] = [];
  readonly nftListings = new Map<string, readonly Record<string, unknown>[]>();
  readonly namespaces: Namespaces;
  readonly #log: CallLog;
  readonly #host = new FakeNetwork();
  readonly #networks = new Map<string, FakeNetwork>();
  #current: string | undefined;
  #helpers = 0;

  constructor(log: CallLog) {
    this.#log = log;
    this.namespaces = {
      createUser: (_, options = {}) => this.#createUser(options.network === true),
      createNetwork: (path, options = {}) => {
        this.#networks.set(path, options.from === undefined ? new FakeNetwork() : this.#at(options.from));
      },
      removeNetwork: (path) => {
        this.#networks.get(path)?.destroy();
        this.#networks.delete(path);
      },
      withNetwork: (path, action) => this.#within(path, action),
      withSysctls: (action) => action('/proc/fake/sys'),
      unshareMount: () => {
        // There is one mount table only.
      },
      createMount: (prepare) => {
        prepare();
        return -1;
      },
      withMount: (_, action) => action(),
    };
  }

  /** Gone with its disposal, but for what was pinned. */
  #createUser(withNetwork: boolean): UserNamespace {
    const directory = `/proc/fake-${++this.#helpers}/ns`;
    const networkPath = withNetwork ? `${directory}/net` : undefined;
    if (networkPath !== undefined) this.#networks.set(networkPath, new FakeNetwork());
    const forget = () => void (networkPath !== undefined && this.#networks.delete(networkPath));
    return { userPath: `${directory}/user`, networkPath, [Symbol.dispose]: forget };
  }

  paths(): ReadonlySet<string> {
    return new Set(this.#networks.keys());
  }

  openNetlink(path: string | undefined): RouteSocket {
    const netns = path ?? this.#current;
    const socket = new FakeRouteSocket(this.#at(netns), (peer) => this.#at(peer));
    return this.#log.record<RouteSocket>('netlink', socket, netns);
  }

  openNftables(): Nftables {
    const netns = this.#current;
    const nft: Nftables = {
      run: (commands) => {
        this.nftCommands.push({ netns, commands });
      },
      query: (command) => this.nftListings.get(command) ?? [],
      [Symbol.dispose]: () => {
        // Nothing is open.
      },
    };
    return this.#log.record('nftables', nft, netns);
  }

  /** Tells of nothing: nobody else changes rules here. */
  openRulesMonitor(): RulesMonitor {
    const nothing: RulesChanges = { transactions: [], isComplete: true };
    const monitor: RulesMonitor = {
      fd: -1,
      read: () => nothing,
      decode: () => nothing,
      [Symbol.dispose]: () => {
        // Nothing is open.
      },
    };
    return this.#log.record('rulesMonitor', monitor, this.#current);
  }

  /** No packet is ever sent here. */
  openFlows(): FlowSocket {
    const flows: FlowSocket = {
      udpFlowsTo: () => [],
      deleteFlow: () => false,
      [Symbol.dispose]: () => {
        // Nothing is open.
      },
    };
    return this.#log.record('flows', flows, this.#current);
  }

  #within<T>(path: string, action: () => T): T {
    this.#at(path);
    const former = this.#current;
    this.#current = path;
    try {
      return action();
    } finally {
      this.#current = former;
    }
  }

  #at(path: string | undefined): FakeNetwork {
    const network = path === undefined ? this.#host : this.#networks.get(path);
    if (network === undefined) throw new SysError('ENOENT', 'open', `path ${JSON.stringify(path)}`);
    return network;
  }
}
