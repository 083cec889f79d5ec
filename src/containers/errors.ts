import {
  canceled,
  conflict,
  deadlineExceeded,
  errnoCode,
  errorCode,
  errorMessage,
  GantryError,
  internal,
  invalidArgument,
  notFound,
  notModified,
  unavailable,
} from '#base';

/**
 * Texts that clients show or match letter by letter (docker's contract). Each has a test in `errors.test.ts`.
 * Source: moby `daemon/errors.go`, `daemon/{delete,kill,pause,start,attach,exec,rename,create}.go`.
 */
export const noSuchContainer = (ref: string): GantryError => notFound(`No such container: ${ref}`);

export const emptyReference = (ref: string): GantryError =>
  invalidArgument(`invalid name or ID supplied: ${JSON.stringify(ref)}`);

export const ambiguousPrefix = (ref: string): GantryError =>
  notFound(`multiple IDs found with provided prefix: ${ref}`);

export const nameInUse = (name: string, id: string): GantryError =>
  conflict(
    `Conflict. The container name "/${name}" is already in use by container "${id}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );

export const invalidName = (name: string): GantryError =>
  invalidArgument(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);

/** A rename's own words around what is wrong with the new name. */
export const cannotRename = (error: unknown): GantryError =>
  new GantryError(errorCode(error), `Error when allocating new name: ${errorMessage(error)}`, {
    cause: error,
  });

export const emptyName = (): GantryError => invalidArgument('Neither old nor new names may be empty');

export const sameName = (): GantryError =>
  invalidArgument('Renaming a container with the same name as its current name');

export const notRunning = (id: string): GantryError => conflict(`container ${id} is not running`);

/** Ours: docker has no such state. */
export const notTakenOver = (id: string): GantryError =>
  unavailable(
    `container ${id} could not be taken over yet since the daemon has started, which is tried again`,
  );

/** It takes no signal any more: it hangs in the kernel. Source: moby `daemon/kill.go`. */
export const noExitAfterKill = (): GantryError =>
  internal('tried to kill container, but did not receive an exit event');

/** Source: moby `daemon/stop.go`. */
export const cannotStop = (ref: string, cause: unknown): GantryError =>
  internal(`cannot stop container: ${ref}: ${errorMessage(cause)}`, { cause });

export const alreadyStarted = (): GantryError => notModified('container is already running');

export const alreadyStopped = (): GantryError => notModified('container is already stopped');

export const cannotStartPaused = (): GantryError =>
  conflict('cannot start a paused container, try unpause instead');

export const markedForRemoval = (): GantryError =>
  conflict('container is marked for removal and cannot be started');

export const alreadyPaused = (id: string): GantryError => conflict(`container ${id} is already paused`);

export const notPaused = (id: string): GantryError => internal(`Container ${id} is not paused`);

export const isRestarting = (id: string): GantryError =>
  conflict(`Container ${id} is restarting, wait until the container is running`);

export const attachToPaused = (ref: string): GantryError =>
  conflict(`container ${ref} is paused, unpause the container before attach`);

export const attachToRestarting = (ref: string): GantryError =>
  conflict(`container ${ref} is restarting, wait until the container is running`);

export const invalidDetachKeys = (keys: string, cause?: unknown): GantryError =>
  invalidArgument(`Invalid detach keys (${keys}) provided`, { cause });

export const defaultLinkName = (): GantryError =>
  internal('Conflict, cannot remove the default link name of the container');

/** For what a removal by force ends instead of waiting for it. */
export const removedByForce = (): GantryError => canceled('the container is removed by force');

export const removalInProgress = (ref: string): GantryError =>
  conflict(`removal of container ${ref} is already in progress`);

export const cannotRemovePaused = (name: string): GantryError =>
  conflict(`cannot remove container "/${name}": container is paused and must be unpaused first`);

export const cannotRemoveRunning = (name: string, status: string): GantryError =>
  conflict(
    `cannot remove container "/${name}": container is ${status}: stop the container before removing or force remove`,
  );

export const noSuchExec = (id: string): GantryError => notFound(`No such exec instance: ${id}`);

export const execInPaused = (id: string): GantryError =>
  conflict(`Container ${id} is paused, unpause the container before exec`);

export const noExecCommand = (): GantryError => invalidArgument('No exec command specified');

export const execAlreadyRun = (id: string): GantryError => conflict(`exec command ${id} has already run`);

export const execAlreadyRunning = (id: string): GantryError =>
  conflict(`exec command ${id} is already running`);

export const execNotRunning = (id: string): GantryError => conflict(`exec ${id} is not running`);

export const noCommand = (): GantryError => invalidArgument('no command specified');

export const noStreams = (): GantryError => invalidArgument('You must choose at least one stream');

export const logsNotReadable = (): GantryError =>
  conflict('configured logging driver does not support reading');

export const logsOfDead = (): GantryError =>
  conflict('can not get logs from container which is dead or marked for removal');

export const injectionFailed = (reason: string): GantryError =>
  internal(`CDI device injection failed: ${reason}`);

export const unresolvableDevices = (names: readonly string[]): GantryError =>
  injectionFailed(`unresolvable CDI devices ${names.join(', ')}`);

export const noDeviceDriver = (driver: string, capabilities: readonly (readonly string[])[]): GantryError => {
  const groups = capabilities.map((group) => `[${group.join(' ')}]`).join(' ');
  return invalidArgument(
    `could not select device driver ${JSON.stringify(driver)} with capabilities: [${groups}]`,
  );
};

export const cannotUpdate = (id: string, reason: string): GantryError =>
  conflict(`Cannot update container ${id}: ${reason}`);

export const commitOfDead = (id: string): GantryError =>
  conflict(`You cannot commit container ${id} which is Dead`);

export const commitOfRemoved = (id: string): GantryError =>
  conflict(`You cannot commit container ${id} which is being removed`);

export const userNotFound = (user: string): GantryError =>
  internal(`unable to find user ${user}: no matching entries in passwd file`);

export const groupNotFound = (group: string): GantryError =>
  internal(`unable to find group ${group}: no matching entries in group file`);

export const idOutOfRange = (): GantryError => invalidArgument('uids and gids must be in range 0-2147483647');

export const bindSourceMissing = (path: string): GantryError =>
  invalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${path}`);

/** Source, also of the next one's: moby `daemon/volume/safepath/errors.go`. */
export const subpathEscapes = (base: string, subpath: string): GantryError =>
  invalidArgument(`path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`);

export const subpathMissing = (path: string, cause: unknown): GantryError =>
  notFound(
    `cannot access path ${path}: ${errnoCode(cause) === 'ENOENT' ? `lstat ${path}: no such file or directory` : errorMessage(cause)}`,
    { cause },
  );

export const invalidFilter = (name: string, value?: string): GantryError =>
  invalidArgument(`invalid filter '${name}${value === undefined ? '' : `=${value}`}'`);

export const privilegedInUserNamespace = (): GantryError =>
  invalidArgument(
    'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
  );

export const hostNetworkInUserNamespace = (): GantryError =>
  invalidArgument("cannot share the host's network namespace when user namespaces are enabled");

/** `--network container:x`, told by the start: an internal error, as docker's. Source: moby `daemon/container_operations.go`. */
export const missingNetworkDonor = (cause: unknown): GantryError =>
  internal(`joining network namespace of container: ${errorMessage(cause)}`, { cause });

export const stoppedNetworkDonor = (name: string, status: string): GantryError =>
  conflict(`cannot join network namespace of a non running container: container ${name} is ${status}`);

export const restartingNetworkDonor = (ref: string): GantryError =>
  conflict(`cannot join network namespace of container: ${isRestarting(ref).message}`);

/** `--link`. Source: docker's daemon/daemon_unix.go and runconfig/errors.go. */
export const badLink = (reason: string): GantryError => invalidArgument(reason);

export const linkTargetMissing = (target: string, reason: string): GantryError =>
  invalidArgument(`could not get container for ${target}: ${reason}`);

export const linksNeedNetwork = (): GantryError =>
  invalidArgument(
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  );

export const linkToStopped = (name: string, from: string): GantryError =>
  internal(`Cannot link to a non running container: /${name} AS ${from}`);

export const linkToForeignNetwork = (name: string): GantryError =>
  internal(`Cannot link to /${name}, as it does not belong to the default network`);

export const hostPidInUserNamespace = (): GantryError =>
  invalidArgument('cannot share the host PID namespace when user namespaces are enabled');

/** dockerd has no words for it: it waits for ever. */
export const sourceSilent = (path: string, cause?: unknown): GantryError =>
  deadlineExceeded(`error while mounting '${path}': its file system does not answer`, { cause });
