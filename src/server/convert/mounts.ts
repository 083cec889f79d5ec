import type { Mount, MountPoint as WireMountPoint } from '#api';
import type { MountPoint, MountRequest, MountType } from '#containers';
import { byKey, omitEmpty, omitEmptyObject } from './zero.ts';

/** `HostConfig.Mounts` of a create body. An unknown type passes on: the containers room refuses it with docker's text. */
export function toMountRequest(wire: Mount): MountRequest {
  return {
    type: (wire.Type ?? '') as MountType,
    source: wire.Source ?? '',
    target: wire.Target ?? '',
    readOnly: wire.ReadOnly ?? false,
    ...(wire.Consistency ? { consistency: wire.Consistency } : {}),
    ...(wire.BindOptions ? { bindOptions: toBindOptions(wire.BindOptions) } : {}),
    ...(wire.VolumeOptions ? { volumeOptions: toVolumeOptions(wire.VolumeOptions) } : {}),
    ...(wire.ImageOptions
      ? { imageOptions: wire.ImageOptions.Subpath ? { subpath: wire.ImageOptions.Subpath } : {} }
      : {}),
    ...(wire.TmpfsOptions ? { tmpfsOptions: toTmpfsOptions(wire.TmpfsOptions) } : {}),
  };
}

function toBindOptions(wire: NonNullable<Mount['BindOptions']>): NonNullable<MountRequest['bindOptions']> {
  return {
    ...(wire.Propagation ? { propagation: wire.Propagation } : {}),
    ...(wire.NonRecursive === undefined ? {} : { nonRecursive: wire.NonRecursive }),
    ...(wire.CreateMountpoint === undefined ? {} : { createMountpoint: wire.CreateMountpoint }),
    ...(wire.ReadOnlyNonRecursive === undefined ? {} : { readOnlyNonRecursive: wire.ReadOnlyNonRecursive }),
    ...(wire.ReadOnlyForceRecursive === undefined
      ? {}
      : { readOnlyForceRecursive: wire.ReadOnlyForceRecursive }),
  };
}

function toVolumeOptions(
  wire: NonNullable<Mount['VolumeOptions']>,
): NonNullable<MountRequest['volumeOptions']> {
  return {
    ...(wire.NoCopy === undefined ? {} : { noCopy: wire.NoCopy }),
    ...(wire.Labels ? { labels: wire.Labels } : {}),
    ...(wire.DriverConfig?.Name ? { driverName: wire.DriverConfig.Name } : {}),
    ...(wire.DriverConfig?.Options ? { driverOptions: wire.DriverConfig.Options } : {}),
    ...(wire.Subpath ? { subpath: wire.Subpath } : {}),
  };
}

function toTmpfsOptions(wire: NonNullable<Mount['TmpfsOptions']>): NonNullable<MountRequest['tmpfsOptions']> {
  return {
    ...(wire.SizeBytes === undefined ? {} : { sizeBytes: wire.SizeBytes }),
    ...(wire.Mode === undefined ? {} : { mode: wire.Mode }),
    ...(wire.Options === undefined ? {} : { options: wire.Options }),
  };
}

export function fromMountRequest(mount: MountRequest): Mount {
  const { bindOptions, volumeOptions, imageOptions, tmpfsOptions } = mount;
  return {
    ...omitEmpty('Type', mount.type),
    ...omitEmpty('Source', mount.source),
    ...omitEmpty('Target', mount.target),
    ...omitEmpty('ReadOnly', mount.readOnly),
    ...omitEmpty('Consistency', mount.consistency),
    ...(bindOptions ? { BindOptions: fromBindOptions(bindOptions) } : {}),
    ...(volumeOptions ? { VolumeOptions: fromVolumeOptions(volumeOptions) } : {}),
    ...(imageOptions ? { ImageOptions: omitEmpty('Subpath', imageOptions.subpath) } : {}),
    ...(tmpfsOptions
      ? {
          TmpfsOptions: {
            ...omitEmpty('SizeBytes', tmpfsOptions.sizeBytes),
            ...omitEmpty('Mode', tmpfsOptions.mode),
            ...omitEmptyObject('Options', tmpfsOptions.options),
          },
        }
      : {}),
  };
}

function fromBindOptions(options: NonNullable<MountRequest['bindOptions']>) {
  return {
    ...omitEmpty('Propagation', options.propagation),
    ...omitEmpty('NonRecursive', options.nonRecursive),
    ...omitEmpty('CreateMountpoint', options.createMountpoint),
    ...omitEmpty('ReadOnlyNonRecursive', options.readOnlyNonRecursive),
    ...omitEmpty('ReadOnlyForceRecursive', options.readOnlyForceRecursive),
  };
}

function fromVolumeOptions(options: NonNullable<MountRequest['volumeOptions']>) {
  const driver = {
    ...omitEmpty('Name', options.driverName),
    ...omitEmptyObject('Options', byKey(options.driverOptions ?? {})),
  };
  return {
    ...omitEmpty('NoCopy', options.noCopy),
    ...omitEmptyObject('Labels', byKey(options.labels ?? {})),
    ...omitEmpty('Subpath', options.subpath),
    ...omitEmptyObject('DriverConfig', driver),
  };
}

export function fromMountPoint(mount: MountPoint): WireMountPoint {
  return {
    ...omitEmpty('Type', mount.type),
    ...omitEmpty('Name', mount.name),
    Source: mount.source,
    Destination: mount.destination,
    ...omitEmpty('Driver', mount.driver),
    Mode: mount.mode,
    RW: mount.rw,
    Propagation: mount.propagation,
  };
}
