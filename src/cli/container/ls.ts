import { defineCommand } from '../core/command.ts';
import { CONTAINER_LAYOUT, CONTAINER_SIZE_LAYOUT, containerRow } from '../formatter/container.ts';
import { writeList } from '../formatter/list.ts';

const IGNORED_FORMAT = 'WARNING: Ignoring custom format, because both --format and --quiet are set.\n';

/** Lists containers, the running ones unless told otherwise. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    all: { type: 'bool', short: 'a', summary: 'Show all, not only running ones' },
    filter: { type: 'filter', short: 'f', summary: 'Show only what matches (such as "status=exited")' },
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    last: { type: 'int', short: 'n', default: '-1', summary: 'Show the n newest, in any state' },
    latest: { type: 'bool', short: 'l', summary: 'Show the newest, in any state' },
    'no-trunc': { type: 'bool', summary: 'Show everything in full' },
    quiet: { type: 'bool', short: 'q', summary: 'Show only IDs' },
    size: { type: 'bool', short: 's', summary: 'Show sizes' },
  },
  examples: ['gantry ps -a --filter status=exited', "gantry ps --format '{{.Names}}: {{.Status}}'"],
  async run({ flags }, ctx) {
    const client = await ctx.client();
    const ignored = flags.quiet && flags.format !== '';
    if (ignored) await ctx.stderr.write(IGNORED_FORMAT);
    const format = flags.quiet ? '' : flags.format || ((await ctx.config()).psFormat ?? '');
    const size = flags.size || /\.Size\b|json \.\s*\}\}/.test(format);
    const containers = await client.containers.list({
      all: flags.all,
      limit: flags.latest ? 1 : flags.last,
      size,
      filters: flags.filter,
    });
    const options = { truncate: !flags['no-trunc'], nowMs: ctx.now() };
    const layout = flags.size ? CONTAINER_SIZE_LAYOUT : CONTAINER_LAYOUT;
    const rows = containers.map((container) => containerRow(container, options));
    await writeList(ctx, rows, layout, { format, quiet: flags.quiet });
    return undefined;
  },
});
