import type { ImageSummary } from '#api';
import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { IMAGE_DIGEST_LAYOUT, IMAGE_LAYOUT, imageLines, imageRow } from '../formatter/image.ts';
import { imageTree, type TreeImage } from '../formatter/image-tree.ts';
import { writeList } from '../formatter/list.ts';

/** Lists images, a line for each name. */
export const command = defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  arguments: { min: 0, max: 1 },
  flags: {
    all: { type: 'bool', short: 'a', summary: 'Show intermediate images too' },
    digests: { type: 'bool', summary: 'Show digests' },
    filter: { type: 'filter', short: 'f', summary: 'Show only what matches (such as "dangling=true")' },
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    'no-trunc': { type: 'bool', summary: 'Show everything in full' },
    quiet: { type: 'bool', short: 'q', summary: 'Show only IDs' },
    tree: { type: 'bool', summary: 'Show the platforms of each image as a tree' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const [reference] = args;
    const filters =
      reference === undefined
        ? flags.filter
        : { ...flags.filter, reference: [...(flags.filter['reference'] ?? []), reference] };
    if (flags.tree) refuseBesideTree(flags);
    const images = await client.images.list({ all: flags.all, filters });
    if (flags.tree) {
      await ctx.stdout.write(imageTree(await withPlatforms(client, images)));
      return undefined;
    }
    const format = flags.format || (flags.quiet ? '' : ((await ctx.config()).imagesFormat ?? ''));
    const options = { truncate: !flags['no-trunc'], nowMs: ctx.now() };
    const withDigests = flags.digests || /\.Digest\b/.test(format);
    const rows = images
      .flatMap((image) => imageLines(image, withDigests))
      .map((line) => imageRow(line, options));
    await writeList(ctx, rows, flags.digests ? IMAGE_DIGEST_LAYOUT : IMAGE_LAYOUT, {
      format,
      quiet: flags.quiet,
    });
    return undefined;
  },
});

/** @throws docker's text for what a tree cannot show. */
function refuseBesideTree(flags: Readonly<Record<string, unknown>>): void {
  const other = ['quiet', 'no-trunc', 'digests', 'format'].find((name) => Boolean(flags[name]));
  if (other !== undefined) throw cliError(`--${other} is not yet supported with --tree`);
}

async function withPlatforms(client: EngineClient, images: readonly ImageSummary[]): Promise<TreeImage[]> {
  return await Promise.all(
    images.map(async (image) => {
      const { Os, Architecture, Variant } = (await client.images.inspect(image.Id)) as {
        readonly Os?: string;
        readonly Architecture?: string;
        readonly Variant?: string;
      };
      return { image, platform: [Os, Architecture, Variant].filter(Boolean).join('/') };
    }),
  );
}
