import type { PortBinding } from '#api';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { naturalOrder } from '../formatter/text.ts';

const MAX_PORT = 65535;

const address = ({ HostIp, HostPort }: PortBinding): string =>
  HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`;

/** @throws docker's text for what is no number. */
function checkPort(text: string): void {
  const [number = ''] = text.split('/');
  const reason = /^\d+$/.test(number) ? 'value out of range' : 'invalid syntax';
  if (reason === 'invalid syntax' || Number(number) > MAX_PORT)
    throw cliError(
      `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: ${reason}`,
    );
}

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
    checkPort(wanted);
    const port = wanted.includes('/') ? wanted : `${wanted}/tcp`;
    const bindings = ports[port];
    if (!bindings || bindings.length === 0)
      throw cliError(`Error: No public port '${wanted}' published for ${name}`);
    await ctx.stdout.write(bindings.map((binding) => `${address(binding)}\n`).join(''));
    return undefined;
  },
});
