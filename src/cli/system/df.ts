import type { SystemDataUsage } from '#api';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { CONTAINER_LAYOUT, containerRow } from '../formatter/container.ts';
import { DISK_USAGE_LAYOUT, usageRow, usages } from '../formatter/disk-usage.ts';
import { IMAGE_LAYOUT, imageLines, imageRow } from '../formatter/image.ts';
import { renderList, writeList } from '../formatter/list.ts';
import { VOLUME_LAYOUT, volumeRow } from '../formatter/volume.ts';

const IMAGE_TABLE =
  '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}';
const CONTAINER_TABLE =
  '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}';
const VOLUME_TABLE = '{{.Name}}\t{{.Links}}\t{{.Size}}';

/** Shows disk space in use. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    verbose: { type: 'bool', short: 'v', summary: 'Show each object' },
  },
  async run({ flags }, ctx) {
    if (flags.verbose && flags.format !== '') throw cliError('the verbose and the format options conflict');
    const data = await (await ctx.client()).system.diskUsage({ verbose: flags.verbose });
    if (flags.verbose) await ctx.stdout.write(verbose(data, ctx.now()));
    else
      await writeList(ctx, usages(data).map(usageRow), DISK_USAGE_LAYOUT, {
        format: flags.format,
        quiet: false,
      });
    return undefined;
  },
});

function verbose(data: SystemDataUsage, nowMs: number): string {
  const options = { truncate: true, nowMs };
  const plain = { format: '', quiet: false };
  const images = (data.Images ?? data.ImageUsage?.Items ?? []).flatMap((image) => imageLines(image, false));
  const containers = data.Containers ?? data.ContainerUsage?.Items ?? [];
  const volumes = data.Volumes ?? data.VolumeUsage?.Items ?? [];
  const imageRows = images.map((line) => imageRow(line, options));
  const containerRows = containers.map((container) => containerRow(container, options));
  const volumeRows = volumes.map((volume) => volumeRow(volume));
  return [
    'Images space usage:\n\n',
    renderList(imageRows, { ...IMAGE_LAYOUT, table: IMAGE_TABLE }, plain),
    '\nContainers space usage:\n\n',
    renderList(containerRows, { ...CONTAINER_LAYOUT, table: CONTAINER_TABLE }, plain),
    '\nLocal Volumes space usage:\n\n',
    renderList(volumeRows, { ...VOLUME_LAYOUT, table: VOLUME_TABLE }, plain),
  ].join('');
}
