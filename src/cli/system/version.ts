import type { SystemVersion } from '#api';
import { errorMessage } from '#base';
import { CLIENT_API_VERSION, type EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError, EXIT, present, silentExit } from '../core/errors.ts';
import { BUILD_TIME, COMMIT } from '../core/version.ts';
import { templateParsing } from '../template/errors.ts';
import { compileTemplate } from '../template/template.ts';
import { Struct } from '../template/values.ts';

/** Go's names (`APIVersion`) differ from the wire's (`ApiVersion`) in case only; nothing may be left out. */
const NO_KEYS: ReadonlySet<string> = new Set();

interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly BuildTime: string;
  readonly Os: string;
  readonly Arch: string;
  readonly Context: string;
}

/** The engine's versions under Go's names for templates, and in docker's order for JSON. */
class ServerVersion extends Struct {
  readonly #server: SystemVersion;

  constructor(server: SystemVersion) {
    const { Platform, Components, ApiVersion, ...rest } = server;
    const fields = { Platform, Components, APIVersion: ApiVersion, ...rest };
    super('*types.Version', fields, { keepsOrder: true });
    this.#server = server;
  }

  override toJSON(): Record<string, unknown> {
    const { Platform, Components, Version, ApiVersion, MinAPIVersion, GitCommit, GoVersion, ...rest } =
      this.#server;
    return { Platform, Components, Version, ApiVersion, MinAPIVersion, GitCommit, GoVersion, ...rest };
  }
}

/** Shows the versions of client and engine. Without an engine the client's are shown, and the exit code is 1. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: { format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" } },
  async run({ flags }, ctx) {
    const template = flags.format === '' || flags.format === 'json' ? '{{json .}}' : flags.format;
    const compiled = parse(template);
    const { server, failure, apiVersion } = await askServer(await ctx.client());
    const client = clientVersion(ctx, apiVersion);
    if (flags.format === '') await ctx.stdout.write(render(client, server));
    else {
      const data = new Struct('system.versionInfo', {
        Client: client,
        Server: server ? new ServerVersion(server) : null,
      });
      const show = () => compiled.run(data, { optionalKeys: NO_KEYS });
      await ctx.stdout.write(`${await rendered(ctx, show, failure)}\n`);
    }
    if (failure === undefined) return undefined;
    await ctx.stderr.write(`${errorMessage(failure)}\n`);
    throw silentExit(1);
  },
});

function parse(template: string) {
  try {
    return compileTemplate(template, 'version');
  } catch (error) {
    throw present(templateParsing(error), { exitCode: EXIT.badTemplate });
  }
}

/** Without an engine, what the template lacks is the engine's: then `failure` says more, and nothing is shown. */
async function rendered(ctx: CliContext, render: () => string, failure: unknown): Promise<string> {
  try {
    return render();
  } catch (error) {
    if (failure !== undefined) return '';
    await ctx.stdout.write('\n');
    throw cliError(errorMessage(error), { cause: error });
  }
}

/** Build times of the wire are RFC 3339; people get C's asctime. Anything else stays as it is. */
function withReadableTimes(server: SystemVersion): SystemVersion {
  if (!server.Components) return server;
  return {
    ...server,
    Components: server.Components.map((component) => {
      const built = component.Details?.['BuildTime'];
      if (built === undefined) return component;
      return { ...component, Details: { ...component.Details, BuildTime: asctime(built) } };
    }),
  };
}

function asctime(text: string): string {
  const date = new Date(text);
  if (!/^\d{4}-/.test(text) || Number.isNaN(date.getTime())) return text;
  const [weekday, , month] = date.toUTCString().replace(',', '').split(' ');
  const day = String(date.getUTCDate()).padStart(2);
  return `${weekday} ${month} ${day} ${date.toISOString().slice(11, 19)} ${date.getUTCFullYear()}`;
}

interface ServerAnswer {
  readonly server?: SystemVersion;
  readonly failure?: unknown;
  readonly apiVersion: string;
}

async function askServer(client: EngineClient): Promise<ServerAnswer> {
  try {
    const apiVersion = await client.apiVersion();
    return { server: withReadableTimes(await client.system.version()), apiVersion };
  } catch (failure) {
    return { failure, apiVersion: CLIENT_API_VERSION };
  }
}

function clientVersion(ctx: CliContext, apiVersion: string): ClientVersion {
  return {
    Version: ctx.version,
    ApiVersion: apiVersion,
    DefaultAPIVersion: CLIENT_API_VERSION,
    GitCommit: COMMIT ?? '',
    BuildTime: BUILD_TIME === undefined ? '' : asctime(BUILD_TIME),
    Os: 'linux',
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    Context: ctx.globals.context || 'default',
  };
}

/** The value's column is the same on every line. */
const VALUE_COLUMN = 20;
const line = (indent: number, label: string, value: string): string =>
  `${`${' '.repeat(indent)}${label}:`.padEnd(VALUE_COLUMN)}${value}\n`;

function render(client: ClientVersion, server: SystemVersion | undefined): string {
  const downgraded =
    client.ApiVersion !== client.DefaultAPIVersion ? ` (downgraded from ${client.DefaultAPIVersion})` : '';
  const head = [
    'Client:\n',
    line(1, 'Version', client.Version),
    line(1, 'API version', `${client.ApiVersion}${downgraded}`),
    ...(client.GitCommit === '' ? [] : [line(1, 'Git commit', client.GitCommit)]),
    ...(client.BuildTime === '' ? [] : [line(1, 'Built', client.BuildTime)]),
    line(1, 'OS/Arch', `${client.Os}/${client.Arch}`),
    line(1, 'Context', client.Context),
  ].join('');
  return server ? `${head}\nServer:${platformName(server)}\n${components(server)}` : head;
}

const platformName = ({ Platform }: SystemVersion): string => (Platform?.Name ? ` ${Platform.Name}` : '');

function components(server: SystemVersion): string {
  const listed = server.Components ?? [];
  if (listed.length === 0) return engine(server, {});
  return listed
    .map(({ Name, Version, Details }) =>
      Name === 'Engine' ? engine(server, Details ?? {}) : other(Name, Version, Details),
    )
    .join('');
}

function engine(server: SystemVersion, details: Readonly<Record<string, string>>): string {
  const minimum = server.MinAPIVersion ? ` (minimum version ${server.MinAPIVersion})` : '';
  return [
    ' Engine:\n',
    line(2, 'Version', server.Version),
    line(2, 'API version', `${server.ApiVersion}${minimum}`),
    ...(server.GoVersion ? [line(2, 'Go version', server.GoVersion)] : []),
    ...(server.GitCommit ? [line(2, 'Git commit', server.GitCommit)] : []),
    ...(server.BuildTime ? [line(2, 'Built', details['BuildTime'] ?? server.BuildTime)] : []),
    line(2, 'OS/Arch', `${server.Os}/${server.Arch}`),
    line(2, 'Experimental', String(server.Experimental ?? false)),
  ].join('');
}

function other(name: string, version: string, details: Readonly<Record<string, string>> | undefined): string {
  const lines = Object.entries(details ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => line(2, key, value));
  return ` ${name}:\n${line(2, 'Version', version)}${lines.join('')}`;
}
