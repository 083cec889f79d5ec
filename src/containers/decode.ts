import { dataLoss } from '#base';
import { isIdMappings } from '#oci';
import type { Container, ContainerState } from './model.ts';

const STATUSES = {
  created: true,
  running: true,
  paused: true,
  restarting: true,
  exited: true,
  removing: true,
  dead: true,
} as const satisfies Record<ContainerState['status'], true>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isState(value: unknown): boolean {
  if (!isRecord(value) || typeof value['status'] !== 'string') return false;
  if (!Object.hasOwn(STATUSES, value['status'])) return false;
  const isDoomed = value['status'] === 'removing' || value['status'] === 'dead';
  return !isDoomed || isState(value['previous']);
}

const isLinks = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (link) =>
      isRecord(link) && ['containerId', 'name', 'alias'].every((key) => typeof link[key] === 'string'),
  );

const TEXTS = ['id', 'name', 'created', 'imageId', 'path', 'driver', 'logPath', 'hostnamePath'] as const;
const LISTS = ['args', 'mounts', 'portRequests'] as const;

/**
 * Checks a stored row as far as this room relies on it blindly: identity, state and the objects it reads fields
 * of. @throws `data_loss`; the store then sets the row aside and goes on.
 */
export function decodeContainer(stored: unknown): Container {
  if (!isRecord(stored)) throw dataLoss('the stored container is not an object');
  const wrong =
    TEXTS.find((key) => typeof stored[key] !== 'string') ??
    LISTS.find((key) => !Array.isArray(stored[key])) ??
    (['config', 'hostConfig', 'endpoints'] as const).find((key) => !isRecord(stored[key]));
  if (wrong) throw dataLoss(`the stored container has no usable ${wrong}`);
  if (!/^[0-9a-f]{64}$/.test(stored['id'] as string)) throw dataLoss('the stored container has no usable id');
  if (stored['idMappings'] !== undefined && !isIdMappings(stored['idMappings']))
    throw dataLoss('the stored container has no usable idMappings');
  if (stored['links'] !== undefined && !isLinks(stored['links']))
    throw dataLoss('the stored container has no usable links');
  if (!isState(stored['state'])) throw dataLoss('the stored container has no usable state');
  return stored as unknown as Container;
}
