import { toMap } from '../container/create/environment.ts';
import { validateLabel } from '../container/create/validators.ts';
import { defineCommand } from '../core/command.ts';

/** Creates a volume and prints its name. */
export const command = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  arguments: { min: 0, max: 1 },
  flags: {
    driver: { type: 'string', short: 'd', default: 'local', summary: 'Volume driver' },
    label: { type: 'list', summary: 'Label (key=value)', validate: validateLabel },
    name: { type: 'string', summary: 'Name of the volume', hidden: true },
    opt: { type: 'map', short: 'o', summary: 'Option of the driver (key=value)' },
  },
  async run({ args, flags }, ctx) {
    const name = args[0] ?? flags.name;
    const volume = await (await ctx.client()).volumes.create({
      Driver: flags.driver,
      ...(Object.keys(flags.opt).length > 0 && { DriverOpts: flags.opt }),
      ...(flags.label.length > 0 && { Labels: toMap(flags.label) }),
      ...(name !== '' && { Name: name }),
    });
    await ctx.stdout.write(`${volume.Name}\n`);
    return undefined;
  },
});
