import { canceled, conflict, type GantryError, internal, invalidArgument, notFound } from '#base';

/** Docker's texts. Source: moby `daemon/volume/{service,local}`. */
export const noSuchVolume = (name: string): GantryError => notFound(`get ${name}: no such volume`);

export const volumeInUse = (name: string, users: readonly string[]): GantryError =>
  conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);

export const shortVolumeName = (name: string): GantryError =>
  invalidArgument(
    `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
  );

export const invalidVolumeName = (name: string): GantryError =>
  invalidArgument(
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only ` +
      '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  );

export const unknownVolumeDriver = (name: string, driver: string): GantryError =>
  notFound(
    `create ${name}: error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
  );

export const invalidVolumeOption = (name: string, option: string): GantryError =>
  invalidArgument(`create ${name}: invalid option: ${JSON.stringify(option)}`);

export const missingVolumeOption = (name: string, option: string): GantryError =>
  invalidArgument(`create ${name}: missing required option: ${JSON.stringify(option)}`);

export const invalidVolumeSize = (name: string, reason: string): GantryError =>
  invalidArgument(`create ${name}: ${reason}`);

export const noVolumeQuota = (name: string): GantryError =>
  invalidArgument(`create ${name}: quota size requested but no quota support`);

export const cifsPort = (name: string): GantryError =>
  invalidArgument(`create ${name}: port not allowed in CIFS device URL, include 'port' in 'o='`);

/** Of a container's start. Passwords among the options are no part of the text. */
export function volumeNotMounted(mountpoint: string, reason: string, options: string): GantryError {
  const passwords = options.split(',').filter((option) => option.startsWith('password='));
  const text = passwords.reduce((told, secret) => told.replaceAll(secret, 'password=********'), reason);
  return internal(`error while mounting volume '${mountpoint}': ${text}`);
}

/** The container is removed by force, or the daemon ends. */
export const mountGivenUp = (mountpoint: string): GantryError =>
  canceled(`error while mounting volume '${mountpoint}': nobody waits for it any more`);

export const invalidVolumeFilter = (filter: string, values?: readonly string[]): GantryError =>
  invalidArgument(`invalid filter '${filter}${values ? `=[${values.join(' ')}]` : ''}'`);
