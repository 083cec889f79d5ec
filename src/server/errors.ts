import {
  errorCode,
  errorMessage,
  forbidden,
  GantryError,
  invalidArgument,
  isInvalidArgument,
  notFound,
  notImplemented,
  unavailable,
} from '#base';

/** An attach that is refused: told in plain text on a connection that ends, as docker does once it has taken one over. */
export class RefusedAttach extends GantryError {
  constructor(cause: unknown) {
    super(errorCode(cause), errorMessage(cause), { cause });
  }
}

/** For the log: the client does not see it. */
export const eventsNotRead = (count: number): GantryError =>
  unavailable(`the client does not read: ${count} events wait for it`);

/** Contract texts of the HTTP edge. Source: docker's daemon/server. */
export const pageNotFound = (): GantryError => notFound('page not found');

export const versionTooOld = (version: string, min: string): GantryError =>
  invalidArgument(
    `client version ${version} is too old. Minimum supported API version is ${min}, please upgrade your client to a newer version`,
  );

export const versionTooNew = (version: string, max: string): GantryError =>
  invalidArgument(`client version ${version} is too new. Maximum supported API version is ${max}`);

/** Not "not found": clients give that a meaning of its own. */
export const needsVersion = (
  { method, path }: { readonly method: string; readonly path: string },
  version: string,
): GantryError => invalidArgument(`${method} ${path} requires minimum API version ${version}`);

export const malformedContentType = (type: string): GantryError =>
  invalidArgument(`malformed Content-Type header (${type}): mime: no media type`);

export const wrongContentType = (type: string): GantryError =>
  invalidArgument(`unsupported Content-Type header (${type}): must be 'application/json'`);

export const bodyTooLarge = (): GantryError => invalidArgument('http: request body too large');

export const startWithBody = (): GantryError =>
  invalidArgument(
    'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
  );

/** Docker says of every failure which container was meant, but not of a signal that it does not know. */
export const cannotKill = (ref: string, error: unknown): unknown =>
  isInvalidArgument(error)
    ? error
    : new GantryError(errorCode(error), `cannot kill container: ${ref}: ${errorMessage(error)}`, {
        cause: error,
      });

export const semicolonInQuery = (): GantryError => invalidArgument('invalid semicolon separator in query');

export const badEscape = (text: string): GantryError => invalidArgument(`invalid URL escape "${text}"`);

/** Go's strconv.Atoi, which docker answers for integers in queries. */
export const notAnInteger = (text: string): GantryError =>
  invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);

export const badTimestamp = (name: string, text: string): GantryError =>
  invalidArgument(
    `invalid value for ${name}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
  );

export const badResize = (what: 'height' | 'width', text: string, range: boolean): GantryError =>
  invalidArgument(
    `invalid resize ${what} ${JSON.stringify(text)}: ${range ? 'value out of range' : 'invalid syntax'}`,
  );

export const noLogStream = (): GantryError =>
  invalidArgument("must specify at least one of 'stdout' or 'stderr'");

export const emptyConfig = (): GantryError =>
  invalidArgument('config cannot be empty in order to create a container');

export const macOfContainer = (): GantryError =>
  invalidArgument(
    'container-wide MAC address no longer supported; use endpoint-specific MAC address instead',
  );

export const invalidDetachKeys = (keys: string, cause: unknown): GantryError =>
  invalidArgument(`Invalid detach keys (${keys}) provided`, { cause });

export const noExecCommand = (): GantryError => invalidArgument('No exec command specified');

export const badWaitCondition = (text: string): GantryError =>
  invalidArgument(`invalid condition: ${JSON.stringify(text)}`);

export const streamOneShot = (): GantryError => invalidArgument('cannot have stream=true and one-shot=true');

export const badWebSocketRequest = (reason: string): GantryError => invalidArgument(reason);

export const foreignOrigin = (origin: string): GantryError =>
  forbidden(`origin ${JSON.stringify(origin)} may not open a WebSocket here`);

export const emptyPath = (): GantryError => invalidArgument('bad parameter: path cannot be empty');

export const blankImageName = (): GantryError => invalidArgument('image name cannot be blank');

export const sinceAfterUntil = (since: string, until: string): GantryError =>
  invalidArgument(`\`since\` time (${since}) cannot be after \`until\` time (${until})`);

export const unknownUsageType = (type: string): GantryError =>
  invalidArgument(`unknown object type: ${type}`);

export const severalUntil = (): GantryError => invalidArgument('more than one until filter specified');

export const badUntil = (text: string): GantryError =>
  invalidArgument(`failed to parse value as time or duration: ${JSON.stringify(text)}`);

/** Texts of `docker builder prune`. Source: docker's builder/builder-next and server/router/build. */
export const severalFilterValues = (): GantryError => invalidArgument('filters expect only one value');

export const badCacheDuration = (key: string, text: string): GantryError =>
  invalidArgument(
    `"${key}" filter expects a duration (e.g., '24h'): time: invalid duration ${JSON.stringify(text)}`,
  );

export const notAByteCount = (name: string, text: string): GantryError =>
  invalidArgument(
    `${name} is in bytes and expects an integer, got ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
  );

/** A platform as JSON. Source: docker's daemon/server/httputils. */
export const badPlatform = (reason: string): GantryError =>
  invalidArgument(`failed to parse platform: ${reason}`);

export const platformWithoutMachine = (): GantryError =>
  invalidArgument('optional platform fields provided, but OS and Architecture are missing');

export const incompletePlatform = (): GantryError =>
  invalidArgument('both OS and Architecture must be provided');

export const manifestsOfPlatform = (): GantryError =>
  invalidArgument('conflicting options: manifests and platform options cannot both be set');

/** Of an engine that is in no swarm. Source: docker's daemon/cluster and daemon/server/router/volume. */
export const notSwarmManager = (): GantryError =>
  unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );

export const inNoSwarm = (): GantryError => unavailable('This node is not part of a swarm');

export const noClusterVolumes = (): GantryError =>
  unavailable('volume update only valid for cluster volumes, but swarm is unavailable');

export const noSwarmMode = (): GantryError => notImplemented('swarm mode is not supported by this engine');

export const noSuchPlugin = (name: string): GantryError =>
  notFound(`plugin ${JSON.stringify(name)} not found`);

export const noPluginSupport = (): GantryError => notImplemented('plugins are not supported by this engine');

/** An operation whose backend is not wired into this engine. */
export const notOffered = (operation: string): GantryError =>
  notImplemented(`${operation} is not supported by this engine`);
