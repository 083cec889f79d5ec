import type { PortBinding } from '#api';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { naturalOrder } from '../formatter/text.ts';

const address = ({ HostIp, HostPort }: PortBinding): string =>
  HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`;

/** Lists a container's published ports, or where one of them is published. */
export const command = defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  arguments: { min: 1, max: 2 },
  flags: {},
  async run({ args }, ctx) {
    const [name = '', wanted] = args;
    const { NetworkSettings } = await (await ctx.client()).containers.inspect(name);
    const ports = NetworkSettings.Ports ?? {};
    if (wanted === undefined) {
      const lines = Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).map((binding) => `${port} -> ${address(binding)}`),
      );
      await ctx.stdout.write(
        lines
          .sort(naturalOrder)
          .map((line) => `${line}\n`)
          .join(''),
      );
      return undefined;
    }
    const port = wanted.includes('/') ? wanted : `${wanted}/tcp`;
    const bindings = ports[port];
    if (!bindings || bindings.length === 0)
      throw cliError(`Error: No public port '${wanted}' published for ${name}`);
    await ctx.stdout.write(bindings.map((binding) => `${address(binding)}\n`).join(''));
    return undefined;
  },
});
