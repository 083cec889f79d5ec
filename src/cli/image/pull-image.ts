import type { EngineClient } from '#client';
import type { CliContext, CliOutput } from '../core/context.ts';
import { showProgress } from '../progress/show.ts';
import { parseImageName } from './reference.ts';

/** Pulls one image and shows its progress on `out`. @throws the daemon's error, also one within the stream. */
export async function pullImage(
  _ctx: CliContext,
  client: EngineClient,
  options: {
    readonly image: string;
    readonly platform: string;
    readonly quiet: boolean;
    readonly out: CliOutput;
  },
): Promise<void> {
  const name = parseImageName(options.image);
  const progress = await client.images.pull(name.familiar, {
    tag: name.digest || name.tag,
    platform: options.platform,
  });
  await showProgress(progress, options.out, { quiet: options.quiet });
}
