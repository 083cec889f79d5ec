import { chmodSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, errorMessage, type Logger } from '#base';
import { containersDirectory } from '#containers';
import type { IdMappings } from '#oci';
import { needsRuntimeNamespace, RuntimeNamespace, removeSharedBinds } from '#runtime';
import type { TlsIdentity } from '#server';
import { createSys, type Sys, selfTest } from '#sys';
import { VERSION } from '../version.ts';
import { openIdentity, renewIdentity } from './certificates.ts';
import { loadConfig } from './config/load.ts';
import { type Settings, settingsFrom } from './config/settings.ts';
import { daemonHelp, parseDaemonCommand } from './flags.ts';
import { releaseMemoryWhenIdle } from './idle-memory.ts';
import { claimLock, writePidfile } from './lock.ts';
import { notifyManager } from './notify.ts';
import { publishReload } from './reload-event.ts';
import { serve } from './serve.ts';
import { listenForSignals } from './shutdown-signals.ts';
import { readAccounts } from './userns/accounts.ts';
import { hasMapped, openRoots, resolveRemap } from './userns/remap.ts';
import { type Services, wireServices } from './wire.ts';

/** `gantry daemon`. Answers the exit code when the daemon has stopped. @throws for a bad configuration. */
export async function runDaemon(argv: readonly string[]): Promise<number> {
  const command = parseDaemonCommand(argv);
  if (command.kind === 'help') process.stdout.write(daemonHelp());
  if (command.kind === 'version') process.stdout.write(`Gantry version ${VERSION}\n`);
  if (command.kind === 'help' || command.kind === 'version') return 0;
  const loaded = loadConfig(command.flags);
  const state = { settings: settingsFrom(loaded.given) };
  if (command.kind === 'validate') {
    process.stderr.write('configuration OK\n');
    return 0;
  }
  const logger = createLogger({ level: () => state.settings.logLevel, format: state.settings.logFormat });
  for (const option of loaded.inert) logger.warn('option has no effect in this version', { option });
  const tls = openIdentity(state.settings.tls);
  state.settings = makeRoots(state.settings);
  const reload = (): boolean => {
    const isTaken = reloadSettings(state, command.flags, logger);
    renewIdentity(tls, state.settings.tls, logger);
    return isTaken;
  };
  return await run({ logger, sys: createSys(), settings: () => state.settings, tls, reload });
}

interface DaemonParts {
  readonly logger: Logger;
  readonly sys: Sys;
  readonly settings: () => Settings;
  readonly tls: TlsIdentity | undefined;
  /** Whether there are new settings. */
  readonly reload: () => boolean;
}

async function run({ logger, sys, settings, tls, reload }: DaemonParts): Promise<number> {
  const { dataRoot, execRoot, pidfile } = settings();
  await using stack = new AsyncDisposableStack();
  stack.use(writePidfile(pidfile, (pid) => sys.processes.kill(pid, 0)));
  stack.use(claimRoots(sys, dataRoot, execRoot));
  stack.defer(() => releaseSharedBinds(sys, logger, [dataRoot, execRoot]));
  const namespace = stack.use(openNamespace(sys, logger, settings()));
  reportSelfTest(sys, logger);
  surviveProgrammingErrors(logger);
  const later: { services?: Services } = {};
  const signals = listenForSignals(() => {
    if (reload() && later.services) publishReload(later.services, settings());
  });
  const idMappings = setUpRemap(settings(), logger);
  const services = stack.adopt(await wireServices({ sys, logger, settings, idMappings, namespace }), (all) =>
    closeServices(all, settings()),
  );
  later.services = services;
  await services.containers.restore();
  const server = stack.adopt(await serve({ services, sys, logger, settings, idMappings, tls }), (running) =>
    running.close(),
  );
  stack.use(releaseMemoryWhenIdle(sys.processes));
  notifyManager(sys.sockets, 'READY=1', logger);
  logger.info('daemon is ready', { version: VERSION, addresses: server.addresses });
  const signal = await signals.stop;
  logger.info('stopping', { signal, liveRestore: settings().liveRestore });
  notifyManager(sys.sockets, 'STOPPING=1', logger);
  return 0;
}

/** Everything is closed in the order opposite to its making; running containers are left alone unless told otherwise. */
async function closeServices(services: Services, settings: Settings): Promise<void> {
  const { containers, eventLog, metadata, network, runtime, snapshotter } = services;
  await containers.shutdown({ stopAll: !settings.liveRestore, timeoutS: settings.shutdownTimeoutS });
  // Also what runs without a readable row keeps its network.
  await network.stop({ removeAll: runtime.leftovers().length === 0 });
  await runtime.close();
  await snapshotter.settle();
  eventLog.close();
  metadata[Symbol.dispose]();
}

function claimRoots(sys: Sys, dataRoot: string, execRoot: string): Disposable {
  const stack = new DisposableStack();
  try {
    stack.use(claimLock(sys.files, join(dataRoot, 'gantry.lock'), `data root ${dataRoot}`));
    stack.use(claimLock(sys.files, join(execRoot, 'gantry.lock'), `exec root ${execRoot}`));
    return stack;
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

/** Takes back what {@link openNamespace} did to the host, as far as no container needs it. */
function releaseSharedBinds(sys: Sys, logger: Logger, directories: readonly string[]): void {
  const busy = removeSharedBinds(sys, directories);
  if (busy.length > 0) logger.debug('directories stay shared for running containers', { busy });
}

const ROOT_MODE = 0o710;
/** All that is in the exec root is closed, but for the mount points of starts. */
const PASSABLE_MODE = 0o711;

/** Settings with the roots made, and named as the kernel names them: runtimes take no links, mounts are found by their paths. */
function makeRoots(settings: Settings): Settings {
  process.umask(0o022);
  const make = (root: string): string => {
    mkdirSync(root, { recursive: true, mode: ROOT_MODE });
    return realpathSync(root);
  };
  return { ...settings, dataRoot: make(settings.dataRoot), execRoot: make(settings.execRoot) };
}

/** Where monitors and runtimes are started, if it can be made. All else is done in the host's mount namespace. */
function openNamespace(
  sys: Sys,
  logger: Logger,
  { dataRoot, execRoot }: Settings,
): RuntimeNamespace | undefined {
  const [sharedDirs, usedDirs] = [
    [dataRoot, execRoot],
    [execRoot, containersDirectory(dataRoot)],
  ];
  try {
    return new RuntimeNamespace(sys, { sharedDirs, usedDirs });
  } catch (error) {
    const effect = needsRuntimeNamespace()
      ? 'runc will be the default'
      : 'containers start more slowly the more there are';
    logger.warn(`no mount namespace for the runtimes, ${effect}`, { error });
    return undefined;
  }
}

/** The user namespace of containers, by `--userns-remap`. */
function setUpRemap({ dataRoot, execRoot, containers }: Settings, logger: Logger): IdMappings | undefined {
  const { usernsRemap } = containers;
  const mappings = usernsRemap === undefined ? undefined : resolveRemap(usernsRemap, readAccounts());
  if (mappings) openRoots(dataRoot, execRoot, mappings);
  else if (usernsRemap !== undefined)
    logger.warn('user namespaces: root cannot be remapped with itself; user namespaces are OFF');
  // Mapped containers go on without the option. The group is that of a socket in there.
  chmodSync(execRoot, hasMapped(dataRoot) ? PASSABLE_MODE : ROOT_MODE);
  return mappings;
}

function reportSelfTest(sys: Sys, logger: Logger): void {
  for (const { name, ok, detail } of selfTest(sys)) {
    if (!ok) logger.error('self-test failed', { test: name, detail });
  }
}

/** A bug in one request must not take all others down; it is logged with its stack. */
function surviveProgrammingErrors(logger: Logger): void {
  const report = (kind: string) => (error: unknown) =>
    logger.error('unexpected error', {
      kind,
      error,
      stack: error instanceof Error ? error.stack : undefined,
    });
  process.on('uncaughtException', report('uncaught exception'));
  process.on('unhandledRejection', report('unhandled rejection'));
}

/** SIGHUP: reads the file again and takes over what may change at run time. A bad file changes nothing. */
function reloadSettings(
  state: { settings: Settings },
  flags: Parameters<typeof loadConfig>[0],
  logger: Logger,
): boolean {
  try {
    const next = settingsFrom(loadConfig(flags).given);
    state.settings = mergeReloadable(state.settings, next);
    logger.info('configuration reloaded');
    return true;
  } catch (error) {
    logger.error('configuration not reloaded', { error: errorMessage(error) });
    return false;
  }
}

function mergeReloadable(old: Settings, next: Settings): Settings {
  return {
    ...old,
    logLevel: next.logLevel,
    labels: next.labels,
    liveRestore: next.liveRestore,
    shutdownTimeoutS: next.shutdownTimeoutS,
    containers: { ...old.containers, shmSizeBytes: next.containers.shmSizeBytes },
  };
}
