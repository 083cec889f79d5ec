import type { ContainerCreateRequest, ContainerCreateResponse } from '#api';
import { isNotFound } from '#base';
import type { EngineClient } from '#client';
import type { CliContext } from '../../core/context.ts';
import { cliError } from '../../core/errors.ts';
import { familiarString, parseImageName } from '../../image/reference.ts';
import type { CreateFlags } from './flags.ts';
import { checkPlatform } from './platform.ts';

/**
 * Creates the container, pulling the image first where the user's policy says so. Warnings go to standard error.
 * @throws the daemon's error.
 */
export async function createContainer(
  ctx: CliContext,
  client: EngineClient,
  flags: CreateFlags,
  request: ContainerCreateRequest,
): Promise<string> {
  checkPullPolicy(flags.pull);
  if (!/^[0-9a-f]{64}$/.test(request.Image ?? '')) parseImageName(request.Image ?? '');
  checkPlatform(flags.platform);
  if (flags.cidfile !== '') await checkIdFile(flags.cidfile);
  if (flags.pull === 'always') await pull(ctx, client, flags, request.Image ?? '');
  const shared = flags['use-api-socket'] ? await shareApiSocket(ctx, request) : undefined;
  const created = await createOrPull(ctx, client, flags, shared?.request ?? request);
  for (const warning of created.Warnings ?? []) await ctx.stderr.write(`WARNING: ${warning}\n`);
  if (flags.cidfile !== '') await Bun.write(flags.cidfile, created.Id);
  await shared?.finish(client, created.Id);
  return created.Id;
}

async function shareApiSocket(ctx: CliContext, request: ContainerCreateRequest) {
  const { withApiSocket } = await import('./api-socket.ts');
  return await withApiSocket(ctx, request);
}

/** @throws docker's text for a policy that it does not have. */
export function checkPullPolicy(policy: string): void {
  if (['always', 'missing', 'never', ''].includes(policy)) return;
  throw cliError(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
}

async function checkIdFile(path: string): Promise<void> {
  if (await Bun.file(path).exists())
    throw cliError(`container ID file found, make sure the other container isn't running or delete ${path}`);
  const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.';
  const isThere = await Bun.file(directory)
    .stat()
    .then((stat) => stat.isDirectory())
    .catch(() => false);
  if (!isThere)
    throw cliError(`failed to create the container ID file: open ${path}: no such file or directory`);
}

async function createOrPull(
  ctx: CliContext,
  client: EngineClient,
  flags: CreateFlags,
  request: ContainerCreateRequest,
): Promise<ContainerCreateResponse> {
  const create = () => client.containers.create(request, { name: flags.name, platform: flags.platform });
  try {
    return await create();
  } catch (error) {
    // 404 has other causes too (a network, say); only a missing image is worth a pull.
    if (
      !isNotFound(error) ||
      flags.pull !== 'missing' ||
      !(await isImageMissing(client, request.Image ?? ''))
    )
      throw error;
    const shown = familiarString(parseImageName(request.Image ?? ''));
    if (!flags.quiet) await ctx.stderr.write(`Unable to find image '${shown}' locally\n`);
    await pull(ctx, client, flags, request.Image ?? '');
    return await create();
  }
}

async function isImageMissing(client: EngineClient, image: string): Promise<boolean> {
  return await client.images.inspect(image).then(
    () => false,
    (error: unknown) => isNotFound(error),
  );
}

async function pull(ctx: CliContext, client: EngineClient, flags: CreateFlags, image: string): Promise<void> {
  const { pullImage } = await import('../../image/pull-image.ts');
  await pullImage(ctx, client, { image, platform: flags.platform, quiet: flags.quiet, out: ctx.stderr });
}
