import type { Volume } from '#api';
import { formatBytes } from '#base';
import { Struct } from '../template/values.ts';
import type { ListLayout } from './list.ts';
import { joinLabels, labelOf } from './text.ts';

/** Columns of `volume ls`. */
export const VOLUME_LAYOUT: ListLayout = {
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Availability: 'AVAILABILITY',
    Group: 'GROUP',
    Status: 'STATUS',
  },
  table: '{{.Driver}}\t{{.Name}}',
  quiet: 'Name',
};

/** One volume as templates see it. */
export function volumeRow(volume: Volume): Struct {
  const usage = volume.UsageData;
  return new Struct('*formatter.volumeContext', {
    Name: () => volume.Name,
    Driver: () => volume.Driver,
    Scope: () => volume.Scope,
    Mountpoint: () => volume.Mountpoint,
    Labels: () => joinLabels(volume.Labels),
    Label: (name: string) => labelOf(volume.Labels, name),
    Links: () => (usage ? String(usage.RefCount) : 'N/A'),
    Size: () => (usage ? formatBytes(usage.Size) : 'N/A'),
    Availability: () => 'N/A',
    Group: () => 'N/A',
    Status: () => 'N/A',
  });
}
