import { errorCode } from '#base';
import { daemonMessage, type EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import { confirm } from '../core/confirm.ts';
import { cliError } from '../core/errors.ts';
import {
  type Pruned,
  prunedBuildCache,
  prunedContainers,
  prunedImages,
  prunedNetworks,
  prunedVolumes,
  totalReclaimed,
} from '../formatter/pruned.ts';

type Filter = Readonly<Record<string, readonly string[]>>;

interface Scope {
  readonly all: boolean;
  readonly volumes: boolean;
  readonly filter: Filter;
}

/** Removes everything that nothing uses. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    all: { type: 'bool', short: 'a', summary: 'Remove all unused images, not only those without a name' },
    filter: { type: 'filter', summary: 'Remove only what matches (such as "label=key=value")' },
    force: { type: 'bool', short: 'f', summary: 'Do not ask' },
    volumes: { type: 'bool', summary: 'Remove anonymous volumes, too' },
  },
  async run({ flags }, ctx) {
    if (flags.volumes && flags.filter['until'])
      throw cliError('ERROR: The "until" filter is not supported with "--volumes"');
    if (!flags.force) await confirm(ctx, warning(flags));
    const client = await ctx.client();
    let bytes = 0;
    for (const step of steps(client, flags)) {
      const { list, reclaimedBytes } = await step();
      bytes += reclaimedBytes;
      await ctx.stdout.write(list);
    }
    await ctx.stdout.write(totalReclaimed(bytes));
    return undefined;
  },
});

function warning({ all, volumes, filter }: Scope): string {
  const filters = Object.entries(filter).flatMap(([name, values]) =>
    values.map((value) => `  - ${name}=${value}\n`),
  );
  return [
    'WARNING! This will remove:\n',
    '  - all stopped containers\n',
    '  - all networks not used by at least one container\n',
    volumes ? '  - all anonymous volumes not used by at least one container\n' : '',
    all ? '  - all images without at least one container associated to them\n' : '  - all dangling images\n',
    all ? '  - all build cache\n' : '  - unused build cache\n',
    filters.length > 0 ? `\n  Items to be pruned will be filtered with:\n${filters.sort().join('')}` : '',
  ].join('');
}

/** In this order, because containers hold on to everything else. */
function steps(client: EngineClient, { all, volumes, filter }: Scope): (() => Promise<Pruned>)[] {
  const images = { ...filter, dangling: [String(!all)] };
  return [
    async () => prunedContainers(await client.containers.prune(filter)),
    async () => prunedNetworks(await ifOffered(client.networks.prune(filter), { NetworksDeleted: [] })),
    ...(volumes ? [async () => prunedVolumes(await client.volumes.prune(filter))] : []),
    async () => prunedImages(await client.images.prune(images)),
    async () =>
      prunedBuildCache(await ifOffered(client.system.pruneBuildCache({ all }), { SpaceReclaimed: 0 })),
  ];
}

/** An engine without networks of users or without a builder has nothing of them to remove. */
async function ifOffered<T>(call: Promise<T>, none: T): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (errorCode(error) === 'not_found' && daemonMessage(error) === 'page not found') return none;
    throw error;
  }
}
