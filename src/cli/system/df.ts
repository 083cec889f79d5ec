import { formatBytes } from '#base';
import { defineCommand } from '../core/command.ts';
import {
  BUILD_CACHE_DETAILS,
  CONTAINER_DETAILS,
  DISK_USAGE_LAYOUT,
  diskUsageDetails,
  IMAGE_DETAILS,
  type UsageDetails,
  usageRow,
  usages,
  VOLUME_DETAILS,
} from '../formatter/disk-usage.ts';
import { compile, renderList, runRow, writeList } from '../formatter/list.ts';
import { Struct } from '../template/values.ts';

const PLAIN = { format: '', quiet: false };

/** Shows disk space in use. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    verbose: { type: 'bool', short: 'v', summary: 'Show each object' },
  },
  async run({ flags: { format, verbose } }, ctx) {
    const data = await (await ctx.client()).system.diskUsage({ verbose });
    if (!verbose) {
      await writeList(ctx, usages(data).map(usageRow), DISK_USAGE_LAYOUT, { format, quiet: false });
      return undefined;
    }
    const isTable = format === '' || format === 'table';
    const details = diskUsageDetails(data, { truncate: isTable, nowMs: ctx.now() });
    await ctx.stdout.write(isTable ? tables(details) : throughTemplate(details, format));
    return undefined;
  },
});

function tables({ images, containers, volumes, buildCache, buildCacheBytes }: UsageDetails): string {
  return [
    'Images space usage:\n\n',
    renderList(images, IMAGE_DETAILS, PLAIN),
    '\nContainers space usage:\n\n',
    renderList(containers, CONTAINER_DETAILS, PLAIN),
    '\nLocal Volumes space usage:\n\n',
    renderList(volumes, VOLUME_DETAILS, PLAIN),
    `\nBuild cache usage: ${formatBytes(buildCacheBytes)}\n\n`,
    renderList(buildCache, BUILD_CACHE_DETAILS, PLAIN),
  ].join('');
}

/** One template for everything, as docker has it: no line end is added. */
function throughTemplate({ images, containers, volumes, buildCache }: UsageDetails, format: string): string {
  const template = compile(format === 'json' ? '{{json .}}' : format);
  const fields = { Images: images, Containers: containers, Volumes: volumes, BuildCache: buildCache };
  const options = { keepsOrder: true, escapesHtml: true };
  return runRow(template, new Struct('*formatter.DiskUsageContext', fields, options));
}
