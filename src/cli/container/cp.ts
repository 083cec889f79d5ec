import { readTar, type TarInput, writeTar } from '#base';
import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError } from '../core/errors.ts';
import { containerDestination, type OpenedSource, openContainerSource } from './copy/engine-end.ts';
import { localDestination, localSource, packLocal } from './copy/local.ts';
import { type CopyArgument, splitArgument } from './copy/names.ts';
import { type CopyPlan, planCopy, renameMember } from './copy/plan.ts';
import { CopyProgress } from './copy/progress.ts';
import { unpack } from './copy/unpack.ts';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Copy {
  readonly ctx: CliContext;
  readonly client: EngineClient;
  readonly archive: boolean;
  readonly followLink: boolean;
  readonly quiet: boolean;
  readonly owner: Owner | undefined;
}

const TO_CONTAINER = 'Copying to container - ';
const FROM_CONTAINER = 'Copying from container - ';

/** Copies files between a container and this machine, or between containers. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER:SRC_PATH|SRC_PATH|- CONTAINER:DEST_PATH|DEST_PATH|-',
  arguments: { min: 2, max: 2 },
  flags: {
    archive: { type: 'bool', short: 'a', summary: 'Keep the owners of files' },
    chown: { type: 'string', summary: 'Give everything to this owner (UID[:GID], in numbers)' },
    'follow-link': { type: 'bool', short: 'L', summary: 'Copy what a link in SRC_PATH leads to' },
    quiet: { type: 'bool', short: 'q', summary: 'Say nothing (default where output is not a terminal)' },
  },
  examples: ['gantry cp web:/etc/nginx .', 'gantry cp app.tar.d/. web:/srv', 'gantry cp old:/data new:/data'],
  async run({ args, flags, changed }, ctx) {
    const [from = '', to = ''] = args;
    if (from === '') throw cliError('source can not be empty');
    if (to === '') throw cliError('destination can not be empty');
    const source = splitArgument(from);
    const destination = splitArgument(to);
    if (source.container === '' && destination.container === '')
      throw cliError('must specify at least one container source');
    const copy: Copy = {
      ctx,
      client: await ctx.client(),
      archive: flags.archive,
      followLink: flags['follow-link'],
      quiet: changed.has('quiet') ? flags.quiet : !ctx.stdout.isTerminal,
      owner: parseOwner(flags.chown),
    };
    if (destination.container === '') await copyFromContainer(copy, source, destination.path);
    else if (source.container !== '') await copyAcross(copy, source, destination);
    else if (source.path === '-') await copyStdin(copy, destination);
    else await copyToContainer(copy, source.path, destination);
    return undefined;
  },
});

function parseOwner(text: string): Owner | undefined {
  if (text === '') return undefined;
  const match = /^(\d+)(?::(\d+))?$/.exec(text);
  if (!match) throw cliError(`invalid owner ${JSON.stringify(text)}: expected UID[:GID] in numbers`);
  return { uid: Number(match[1]), gid: Number(match[2] ?? match[1]) };
}

async function copyFromContainer(copy: Copy, source: CopyArgument, path: string): Promise<void> {
  const { ctx, client, owner } = copy;
  const progress = new CopyProgress(ctx, FROM_CONTAINER, copy);
  if (path === '-') {
    const { archive } = await openContainerSource(client, source, copy);
    for await (const chunk of owner ? rewrite(archive, undefined, owner) : archive)
      await ctx.stdout.write(chunk);
    return;
  }
  const destination = await localDestination(path, process.cwd());
  const opened = await openContainerSource(client, source, copy);
  const plan = planOpened(opened, destination);
  await unpack(progress.count(opened.archive), {
    directory: plan.directory,
    rename: (name) => renameMember(name, plan),
    keepOwners: copy.archive,
    owner,
    warn: (text) => ctx.stderr.write(text),
  });
  await report(copy, progress, destination.path);
}

/** The archive must not stay open when the plan fails. */
function planOpened(opened: OpenedSource, destination: Parameters<typeof planCopy>[1]): CopyPlan {
  try {
    return planCopy(opened.source, destination);
  } catch (error) {
    opened.discard();
    throw error;
  }
}

async function copyToContainer(copy: Copy, path: string, target: CopyArgument): Promise<void> {
  const destination = await containerDestination(copy.client, target);
  const source = await localSource(path, process.cwd(), copy);
  const plan = planCopy(source, destination);
  const members = withOwner(packLocal(source, plan.to), copy.owner);
  const archive = writeTar(members, { onSizeMismatch: 'fit' });
  await upload(copy, target.container, plan.directory, archive, destination.path);
}

async function copyStdin(copy: Copy, target: CopyArgument): Promise<void> {
  const { kind, path } = await containerDestination(copy.client, target);
  if (kind !== 'directory')
    throw cliError(`destination "${target.container}:${target.path}" must be a directory`);
  const input = copy.ctx.stdin.chunks();
  const archive = copy.owner ? rewrite(input, undefined, copy.owner) : input;
  await upload(copy, target.container, path, archive, path);
}

async function copyAcross(copy: Copy, source: CopyArgument, target: CopyArgument): Promise<void> {
  const destination = await containerDestination(copy.client, target);
  const opened = await openContainerSource(copy.client, source, copy);
  const plan = planOpened(opened, destination);
  const needsRewrite = plan.from !== plan.to || copy.owner !== undefined;
  const archive = needsRewrite ? rewrite(opened.archive, plan, copy.owner) : opened.archive;
  await upload(copy, target.container, plan.directory, archive, destination.path);
}

async function upload(
  copy: Copy,
  container: string,
  directory: string,
  archive: AsyncIterable<Uint8Array>,
  shown: string,
): Promise<void> {
  const progress = new CopyProgress(copy.ctx, TO_CONTAINER, copy);
  await copy.client.containers.writeArchive(container, directory, progress.count(archive), {
    copyUidGid: copy.archive,
  });
  await report(copy, progress, `${container}:${shown}`);
}

async function report({ ctx, quiet }: Copy, progress: CopyProgress, where: string): Promise<void> {
  if (!quiet) await ctx.stderr.write(`Successfully copied ${progress.size} to ${where}\n`);
}

async function* withOwner(
  members: AsyncIterable<TarInput>,
  owner: Owner | undefined,
): AsyncGenerator<TarInput> {
  for await (const member of members)
    yield owner ? { ...member, header: { ...member.header, ...owner } } : member;
}

/** The same archive with other names and owners, while it passes. */
function rewrite(
  archive: AsyncIterable<Uint8Array>,
  plan: CopyPlan | undefined,
  owner: Owner | undefined,
): AsyncIterable<Uint8Array> {
  const rename = (name: string) => (plan ? renameMember(name, plan) : name);
  async function* members(): AsyncGenerator<TarInput> {
    for await (const { header, body } of readTar(archive)) {
      const linkPath = header.type === 'hardlink' ? rename(header.linkPath) : header.linkPath;
      yield { header: { ...header, path: rename(header.path), linkPath, uname: '', gname: '' }, body };
    }
  }
  return writeTar(withOwner(members(), owner));
}
