import { isNotFound } from '#base';
import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { type GetObject, inspectAll } from '../formatter/inspect.ts';

const KNOWN_TYPES = [
  'config',
  'container',
  'image',
  'network',
  'node',
  'plugin',
  'secret',
  'service',
  'task',
  'volume',
];

/** Shows any object as the engine describes it. */
export const command = defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  arguments: { min: 1 },
  flags: {
    format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" },
    size: { type: 'bool', short: 's', summary: 'Add sizes, for containers' },
    type: { type: 'string', summary: 'Look only for objects of this type' },
  },
  async run({ args, flags, changed }, ctx) {
    const known = KNOWN_TYPES.map((type) => JSON.stringify(type)).join(', ');
    if (changed.has('type') && flags.type === '') throw cliError(`type is empty: must be one of ${known}`);
    if (flags.type !== '' && !KNOWN_TYPES.includes(flags.type)) {
      throw cliError(`unknown type: ${JSON.stringify(flags.type)}: must be one of ${known}`);
    }
    const client = await ctx.client();
    const getters = gettersByType(client, flags.size);
    const chosen =
      flags.type === '' ? Object.values(getters) : [getters[flags.type]].filter((get) => get !== undefined);
    const [only] = chosen;
    if (chosen.length === 0)
      throw cliError(`inspecting objects of type ${JSON.stringify(flags.type)} needs a cluster`);
    if (flags.size && flags.type !== '' && flags.type !== 'container')
      await ctx.stderr.write(`WARNING: --size ignored for ${flags.type}\n`);
    await inspectAll(ctx, args, flags.format, only && chosen.length === 1 ? only : firstOf(chosen));
    return undefined;
  },
});

/** In the order they are tried. */
function gettersByType(client: EngineClient, size: boolean): Record<string, GetObject> {
  return {
    container: (ref) => client.containers.inspect(ref, { size }),
    image: (ref) => client.images.inspect(ref),
    network: (ref) => client.networks.inspect(ref),
    volume: (ref) => client.volumes.inspect(ref),
  };
}

/** Tries each type until one has the object. */
function firstOf(getters: readonly GetObject[]): GetObject {
  return async (ref) => {
    for (const get of getters) {
      try {
        return await get(ref);
      } catch (error) {
        if (ref === '' || !isNotFound(error)) throw error;
      }
    }
    throw cliError(`Error: No such object: ${ref}`);
  };
}
