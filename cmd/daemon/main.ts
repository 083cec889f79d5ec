import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, errorMessage, type Logger } from '#base';
import { enterRuntimeNamespace, needsRuntimeNamespace, removeSharedBinds } from '#runtime';
import { createSys, type Sys, selfTest } from '#sys';
import { VERSION } from '../version.ts';
import { loadConfig } from './config/load.ts';
import { type Settings, settingsFrom } from './config/settings.ts';
import { daemonHelp, parseDaemonCommand } from './flags.ts';
import { claimLock, writePidfile } from './lock.ts';
import { notifyManager } from './notify.ts';
import { serve } from './serve.ts';
import { listenForSignals } from './shutdown-signals.ts';
import { wireServices } from './wire.ts';

/** `gantry daemon`. Answers the exit code when the daemon has stopped. @throws for a bad configuration. */
export async function runDaemon(argv: readonly string[]): Promise<number> {
  const command = parseDaemonCommand(argv);
  if (command.kind === 'help') process.stdout.write(daemonHelp());
  if (command.kind === 'version') process.stdout.write(`Gantry version ${VERSION}\n`);
  if (command.kind !== 'run') return 0;
  const loaded = loadConfig(command.flags);
  const state = { settings: settingsFrom(loaded.given) };
  const logger = createLogger({ level: () => state.settings.logLevel, format: state.settings.logFormat });
  for (const option of loaded.inert) logger.warn('option has no effect in this version', { option });
  const reload = (): void => reloadSettings(state, command.flags, logger);
  return await run({ logger, sys: createSys(), settings: () => state.settings, reload });
}

interface DaemonParts {
  readonly logger: Logger;
  readonly sys: Sys;
  readonly settings: () => Settings;
  readonly reload: () => void;
}

async function run({ logger, sys, settings, reload }: DaemonParts): Promise<number> {
  const { dataRoot, execRoot, pidfile } = settings();
  process.umask(0o022);
  makeRoots(dataRoot, execRoot);
  await using stack = new AsyncDisposableStack();
  stack.use(writePidfile(pidfile, (pid) => sys.processes.kill(pid, 0)));
  enterNamespace(sys, logger, [dataRoot, execRoot]);
  // The kernel drops the locks when this process ends, and when it becomes another program: only now they last.
  stack.use(claimLock(sys.files, join(dataRoot, 'gantry.lock'), `data root ${dataRoot}`));
  stack.use(claimLock(sys.files, join(execRoot, 'gantry.lock'), `exec root ${execRoot}`));
  reportSelfTest(sys, logger);
  surviveProgrammingErrors(logger);
  const signals = listenForSignals(reload);
  const services = await wireServices({ sys, logger, settings });
  await services.containers.restore();
  const server = await serve({ services, sys, logger, settings });
  notifyManager(sys.sockets, 'READY=1');
  logger.info('daemon is ready', { version: VERSION, hosts: settings().hosts });
  const signal = await signals.stop;
  logger.info('stopping', { signal, liveRestore: settings().liveRestore });
  notifyManager(sys.sockets, 'STOPPING=1');
  await server.close();
  await services.containers.shutdown({ stopAll: !settings().liveRestore });
  const isEmpty = services.containers.counts().running + services.containers.counts().paused === 0;
  await services.network.stop({ removeAll: isEmpty });
  await services.runtime.close();
  await services.snapshotter.settle();
  services.metadata[Symbol.dispose]();
  if (isEmpty) {
    const busy = removeSharedBinds(sys, [dataRoot, execRoot]);
    if (busy.length > 0) logger.warn('directories stay mounted', { busy });
  }
  logger.info('stopped');
  return 0;
}

const ROOT_MODE = 0o710;

function makeRoots(...roots: readonly string[]): void {
  for (const root of roots) mkdirSync(root, { recursive: true, mode: ROOT_MODE });
}

/** Becomes this program again in a mount namespace where crun works, where that is needed and possible. */
function enterNamespace(sys: Sys, logger: Logger, sharedDirs: readonly string[]): void {
  if (!needsRuntimeNamespace()) return;
  try {
    enterRuntimeNamespace(sys, { sharedDirs });
  } catch (error) {
    logger.warn('no mount namespace of its own, runc will be the default runtime', { error });
  }
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
): void {
  try {
    const next = settingsFrom(loadConfig(flags).given);
    state.settings = mergeReloadable(state.settings, next);
    logger.info('configuration reloaded');
  } catch (error) {
    logger.error('configuration not reloaded', { error: errorMessage(error) });
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
