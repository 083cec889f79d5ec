import { dataLoss } from '#base';
import { isIdMappings } from '#oci';
import type { Container, ContainerState, RestartPolicy } from './model.ts';

type Fields = Record<string, unknown>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasTexts = (value: Fields, keys: readonly string[]): boolean =>
  keys.every((key) => typeof value[key] === 'string');

const areAll = (value: unknown, isRight: (entry: Fields) => boolean): boolean =>
  Array.isArray(value) && value.every((entry) => isRecord(entry) && isRight(entry));

const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');

const isHealth = (value: unknown): boolean =>
  value === undefined || (isRecord(value) && areAll(value['log'], () => true));

const hasBegun = (state: Fields): boolean => hasTexts(state, ['startedAt']);
const isRunning = (state: Fields): boolean => hasBegun(state) && typeof state['pid'] === 'number';
const hasEnded = (state: Fields): boolean =>
  hasBegun(state) && hasTexts(state, ['finishedAt']) && typeof state['exitCode'] === 'number';

/** What each status has beside it. */
const STATES: Readonly<Record<ContainerState['status'], (state: Fields) => boolean>> = {
  created: () => true,
  running: isRunning,
  paused: isRunning,
  restarting: hasEnded,
  exited: hasEnded,
  removing: ({ previous }) => isResting(previous),
  dead: (state) => hasTexts(state, ['error']) && isResting(state['previous']),
};

const isResting = (value: unknown): boolean =>
  isRecord(value) && ['created', 'restarting', 'exited'].includes(String(value['status'])) && isState(value);

function isState(value: unknown): boolean {
  if (!isRecord(value) || !isHealth(value['health'])) return false;
  const { status } = value;
  return (
    typeof status === 'string' &&
    Object.hasOwn(STATES, status) &&
    STATES[status as ContainerState['status']](value)
  );
}

const isMount = (mount: Fields): boolean =>
  hasTexts(mount, ['type', 'name', 'source', 'destination']) &&
  (mount['image'] === undefined || (isRecord(mount['image']) && hasTexts(mount['image'], ['id', 'key'])));

const POLICIES = {
  no: true,
  always: true,
  'unless-stopped': true,
  'on-failure': true,
} as const satisfies Record<RestartPolicy['name'], true>;

const isPolicy = (value: unknown): boolean =>
  isRecord(value) &&
  Object.hasOwn(POLICIES, String(value['name'])) &&
  typeof value['maximumRetryCount'] === 'number';

/** What a start of the daemon and a list of all containers read: what else is missing fails that one container's requests. */
const isHostConfig = (value: Fields): boolean =>
  hasTexts(value, ['networkMode', 'ipcMode', 'pidMode']) &&
  typeof value['autoRemove'] === 'boolean' &&
  isPolicy(value['restartPolicy']) &&
  isRecord(value['logConfig']) &&
  hasTexts(value['logConfig'], ['type']) &&
  isRecord(value['logConfig']['config']);

const isConfig = (value: Fields): boolean =>
  hasTexts(value, ['image']) &&
  isRecord(value['labels']) &&
  areTexts(value['env']) &&
  areTexts(value['exposedPorts']);

const isLinks = (value: unknown): boolean =>
  areAll(value, (link) => hasTexts(link, ['containerId', 'name', 'alias']));

const TEXTS = ['id', 'name', 'created', 'imageId', 'path', 'driver', 'logPath', 'hostnamePath'] as const;

/** Beside the texts: what a field must be like. A field that older daemons did not know is checked only where it is. */
const FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  args: areTexts,
  mounts: (value) => areAll(value, isMount),
  portRequests: (value) => areAll(value, (port) => hasTexts(port, ['protocol'])),
  config: (value) => isRecord(value) && isConfig(value),
  hostConfig: (value) => isRecord(value) && isHostConfig(value),
  endpoints: (value) => isRecord(value) && Object.values(value).every(isRecord),
  restartCount: (value) => typeof value === 'number',
  idMappings: (value) => value === undefined || isIdMappings(value),
  links: (value) => value === undefined || isLinks(value),
  state: isState,
};

/**
 * Checks a stored row as far as this room relies on it blindly: identity, state and the objects it reads fields
 * of. @throws `data_loss`; the store then sets the row aside and goes on.
 */
export function decodeContainer(stored: unknown): Container {
  if (!isRecord(stored)) throw dataLoss('the stored container is not an object');
  const wrong =
    TEXTS.find((key) => typeof stored[key] !== 'string') ??
    Object.keys(FIELDS).find((key) => !FIELDS[key]?.(stored[key]));
  if (wrong) throw dataLoss(`the stored container has no usable ${wrong}`);
  if (!/^[0-9a-f]{64}$/.test(stored['id'] as string)) throw dataLoss('the stored container has no usable id');
  return stored as unknown as Container;
}
