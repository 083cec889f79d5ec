import { statSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { invalidArgument } from '#base';
import { bindSourceMissing } from '../errors.ts';
import type { MountRequest } from '../model.ts';

const PROPAGATIONS: readonly string[] = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/**
 * Checks one `--mount`. @throws `invalid_argument` with docker's texts (`invalid mount config for type "bind": …`).
 * Source: moby `daemon/volume/mounts/{linux_parser,validate}.go`.
 */
export function checkMountRequest(mount: MountRequest): void {
  const refuse = (reason: string): never => {
    throw invalidArgument(`invalid mount config for type "${mount.type}": ${reason}`);
  };
  checkForeignOptions(mount, refuse);
  if (mount.target === '') refuse('field Target must not be empty');
  checkTarget(mount.target, refuse);
  if (mount.type === 'bind') checkBind(mount, refuse);
  else if (mount.type === 'volume') checkVolume(mount, refuse);
  else if (mount.type === 'tmpfs') checkTmpfs(mount, refuse);
  else if (mount.type === 'image') checkImage(mount, refuse);
  else refuse('mount type unknown');
}

type Refuse = (reason: string) => never;

function checkForeignOptions(mount: MountRequest, refuse: Refuse): void {
  const owners = {
    bindOptions: 'bind',
    volumeOptions: 'volume',
    tmpfsOptions: 'tmpfs',
    imageOptions: 'image',
  } as const;
  const names = {
    bindOptions: 'BindOptions',
    volumeOptions: 'VolumeOptions',
    tmpfsOptions: 'TmpfsOptions',
    imageOptions: 'ImageOptions',
  } as const;
  for (const key of Object.keys(owners) as (keyof typeof owners)[]) {
    if (mount[key] && mount.type !== owners[key]) refuse(`field ${names[key]} must not be specified`);
  }
}

/** @throws through `refuse` when `target` is relative or the root. */
export function checkTarget(target: string, refuse: Refuse): void {
  if (normalize(target).replace(/\/+$/, '') === '' && target !== '') {
    refuse("invalid specification: destination can't be '/'");
  }
  if (!isAbsolute(target)) refuse(`invalid mount path: '${target}' mount path must be absolute`);
}

function checkBind({ source, bindOptions }: MountRequest, refuse: Refuse): void {
  if (source === '') refuse('field Source must not be empty');
  const propagation = bindOptions?.propagation;
  if (propagation && !PROPAGATIONS.includes(propagation)) {
    refuse(`invalid propagation mode: ${propagation}`);
  }
  if (!isAbsolute(source)) refuse(`invalid mount path: '${source}' mount path must be absolute`);
  const isThere = statSync(source, { throwIfNoEntry: false }) !== undefined;
  if (!isThere && !bindOptions?.createMountpoint) throw bindSourceMissing(source);
}

function checkVolume({ source, volumeOptions }: MountRequest, refuse: Refuse): void {
  const subpath = volumeOptions?.subpath;
  if (!subpath) return;
  if (source === '') refuse('must not set Subpath when using anonymous volumes');
  checkSubpath(subpath, refuse);
}

function checkImage({ source, imageOptions }: MountRequest, refuse: Refuse): void {
  if (source === '') refuse('field Source must not be empty');
  if (imageOptions?.subpath) checkSubpath(imageOptions.subpath, refuse);
}

function checkSubpath(subpath: string, refuse: Refuse): void {
  if (isAbsolute(subpath) || /^\.\.(?:\/|$)/.test(normalize(subpath))) {
    refuse('subpath must be a relative path within the volume');
  }
}

function checkTmpfs({ source, tmpfsOptions }: MountRequest, refuse: Refuse): void {
  if (source !== '') refuse('field Source must not be specified');
  for (const option of tmpfsOptions?.options ?? []) {
    if (option.length < 1 || option.length > 2) refuse('invalid option array length');
    if (option[0] !== 'exec' && option[0] !== 'noexec') refuse(`invalid option: ${option[0]}`);
  }
}
