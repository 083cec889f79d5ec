import type { ContainerConfig, ContainerCreateRequest } from '#api';
import { readEnvironment, readLabels } from './environment.ts';
import type { CreateFlags } from './flags.ts';
import { toHealthcheck } from './health.ts';
import { toHostConfig } from './host-config.ts';
import { splitVolumes } from './mounts.ts';
import { toNetworkPart } from './networks.ts';

/** What besides the flags goes into a create request. */
export interface RequestInput {
  readonly image: string;
  readonly command: readonly string[];
  /** Long names of the flags that were given. */
  readonly changed: ReadonlySet<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Rows and columns of the terminal; zeros without one. */
  readonly consoleSize: readonly [number, number];
}

/** The wire form of `create`. @throws docker's texts for values and combinations that cannot be. */
export async function toCreateRequest(
  flags: CreateFlags,
  input: RequestInput,
): Promise<ContainerCreateRequest> {
  const network = toNetworkPart(flags);
  const ports = await portParts(flags);
  const [config, HostConfig] = await Promise.all([
    toConfig(flags, input, ports.exposed),
    toHostConfig(flags, {
      networkMode: network.mode,
      portBindings: ports.bindings,
      consoleSize: input.consoleSize,
      initGiven: input.changed.has('init'),
    }),
  ]);
  return {
    ...config,
    HostConfig,
    NetworkingConfig: { EndpointsConfig: network.endpoints },
  };
}

async function portParts(flags: CreateFlags) {
  if (flags.publish.length + flags.expose.length === 0) return { exposed: undefined, bindings: {} };
  const { toPortMaps } = await import('./ports.ts');
  return toPortMaps(flags.publish, flags.expose);
}

async function toConfig(
  flags: CreateFlags,
  { image, command, changed, env }: RequestInput,
  exposed: ContainerConfig['ExposedPorts'],
): Promise<ContainerConfig> {
  const [variables, labels] = await Promise.all([
    readEnvironment(flags['env-file'], flags.env, env),
    readLabels(flags['label-file'], flags.label),
  ]);
  const health = toHealthcheck(flags);
  const attached = new Set(flags.attach);
  const attachStdin = flags.interactive || attached.has('stdin');
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attachStdin,
    AttachStdout: attached.size === 0 || attached.has('stdout'),
    AttachStderr: attached.size === 0 || attached.has('stderr'),
    ...(exposed && { ExposedPorts: exposed }),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && attachStdin,
    Env: variables.length > 0 ? variables : null,
    Cmd: command.length > 0 ? command : null,
    ...(health && { Healthcheck: health }),
    Image: image,
    Volumes: Object.fromEntries(splitVolumes(flags.volume).anonymous.map((path) => [path, {}])),
    WorkingDir: flags.workdir,
    Entrypoint: changed.has('entrypoint') ? [flags.entrypoint] : null,
    OnBuild: null,
    Labels: labels,
    ...(flags['stop-signal'] !== '' && { StopSignal: flags['stop-signal'] }),
    ...(changed.has('stop-timeout') && { StopTimeout: flags['stop-timeout'] }),
  };
}
