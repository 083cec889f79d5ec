import type { Volume as WireVolume } from '#api';
import type { Volume } from '#volumes';
import { byKey } from './zero.ts';

/** `CreatedAt` has whole seconds; labels and options are null when there are none. */
export function fromVolume(volume: Volume): WireVolume {
  return {
    CreatedAt: volume.created.replace(/\.\d+Z$/, 'Z'),
    Driver: volume.driver,
    Labels: nullWhenEmpty(volume.labels),
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: nullWhenEmpty(volume.options),
    Scope: 'local',
  };
}

const nullWhenEmpty = (map: Readonly<Record<string, string>>) =>
  Object.keys(map).length === 0 ? null : byKey(map);
