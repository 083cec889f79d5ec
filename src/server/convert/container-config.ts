import type {
  ContainerCreateRequest,
  EndpointSettingsRequest,
  ContainerConfig as WireConfig,
  WireSet,
} from '#api';
import type { ContainerConfig, CreateRequest } from '#containers';
import type { EndpointRequest } from '#network';
import { normalizeNetworkMode, toHostConfig } from './host-config.ts';
import { byKey, omitEmpty, omitEmptyObject, orNull } from './zero.ts';

/** A create request: body plus the query's name and platform. */
export function toCreateRequest(
  wire: ContainerCreateRequest,
  options: {
    readonly name: string | undefined;
    readonly platform: string | undefined;
    readonly readOnlyNonRecursive?: boolean;
  },
): CreateRequest {
  const endpoints = Object.entries(wire.NetworkingConfig?.EndpointsConfig ?? {});
  return {
    name: options.name?.replace(/^\//, ''),
    platform: options.platform,
    ...(options.readOnlyNonRecursive ? { readOnlyNonRecursive: true } : {}),
    config: toContainerConfig(wire),
    hostConfig: toHostConfig(wire.HostConfig ?? {}),
    endpoints: Object.fromEntries(
      endpoints.map(([network, settings]) => [
        normalizeNetworkMode(network),
        toEndpointRequest(settings ?? {}),
      ]),
    ),
  };
}

/** What is not set is zero, empty or undefined. */
export function toContainerConfig(wire: ContainerCreateRequest): ContainerConfig {
  return {
    hostname: wire.Hostname ?? '',
    domainname: wire.Domainname ?? '',
    user: wire.User ?? '',
    ...toStreams(wire),
    ...toImageDefaults(wire),
    image: wire.Image ?? '',
    networkDisabled: wire.NetworkDisabled ?? false,
    stopSignal: wire.StopSignal || undefined,
    stopTimeoutS: wire.StopTimeout ?? undefined,
  };
}

/** What an image can give as well. */
function toImageDefaults(wire: ContainerCreateRequest) {
  return {
    exposedPorts: Object.keys(wire.ExposedPorts ?? {}),
    env: wire.Env ?? [],
    cmd: wire.Cmd ?? undefined,
    entrypoint: wire.Entrypoint ?? undefined,
    healthcheck: wire.Healthcheck ?? undefined,
    volumes: Object.keys(wire.Volumes ?? {}),
    workingDir: wire.WorkingDir ?? '',
    labels: wire.Labels ?? {},
    shell: wire.Shell ?? undefined,
    onBuild: wire.OnBuild ?? undefined,
    argsEscaped: wire.ArgsEscaped ?? false,
  };
}

function toStreams(wire: ContainerCreateRequest) {
  return {
    attachStdin: wire.AttachStdin ?? false,
    attachStdout: wire.AttachStdout ?? false,
    attachStderr: wire.AttachStderr ?? false,
    tty: wire.Tty ?? false,
    openStdin: wire.OpenStdin ?? false,
    stdinOnce: wire.StdinOnce ?? false,
  };
}

export function toEndpointRequest(wire: EndpointSettingsRequest): EndpointRequest {
  return {
    ...omitEmpty('ipv4Address', wire.IPAMConfig?.IPv4Address),
    ...omitEmpty('ipv6Address', wire.IPAMConfig?.IPv6Address),
    ...omitEmpty('macAddress', wire.MacAddress ?? undefined),
    ...omitEmptyObject('aliases', wire.Aliases ?? undefined),
    ...omitEmptyObject('links', wire.Links ?? undefined),
    ...omitEmptyObject('driverOpts', wire.DriverOpts ?? undefined),
    ...omitEmptyObject('linkLocalIps', wire.IPAMConfig?.LinkLocalIPs),
    ...omitEmpty('gwPriority', wire.GwPriority ?? undefined),
  };
}

export function fromContainerConfig(config: ContainerConfig): WireConfig {
  return {
    Hostname: config.hostname,
    Domainname: config.domainname,
    User: config.user,
    AttachStdin: config.attachStdin,
    AttachStdout: config.attachStdout,
    AttachStderr: config.attachStderr,
    ...omitEmptyObject('ExposedPorts', toWireSet(config.exposedPorts)),
    Tty: config.tty,
    OpenStdin: config.openStdin,
    StdinOnce: config.stdinOnce,
    Env: config.env,
    Cmd: config.cmd ?? null,
    ...(config.healthcheck ? { Healthcheck: config.healthcheck } : {}),
    ...omitEmpty('ArgsEscaped', config.argsEscaped),
    Image: config.image,
    Volumes: config.volumes.length === 0 ? null : toWireSet(config.volumes),
    WorkingDir: config.workingDir,
    Entrypoint: orNull(config.entrypoint),
    ...omitEmpty('NetworkDisabled', config.networkDisabled),
    ...omitEmptyObject('OnBuild', config.onBuild),
    Labels: byKey(config.labels),
    ...omitEmpty('StopSignal', config.stopSignal),
    ...(config.stopTimeoutS === undefined ? {} : { StopTimeout: config.stopTimeoutS }),
    ...omitEmptyObject('Shell', config.shell),
  };
}

function toWireSet(keys: readonly string[]): WireSet {
  return Object.fromEntries([...keys].sort().map((key) => [key, {}]));
}
