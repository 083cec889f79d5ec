import type { ContainerCreateRequest } from '#api';

/** Beginnings of docker's warnings at create. */
export const IGNORED_VOLUME_DRIVER = 'WARNING: the container-wide volume-driver configuration is ignored';
export const EMPTY_PORT_BINDINGS = 'Following container port(s) have an empty list of port-bindings';

/** What a create body says without effect, or in a way that will not stay. Source: moby daemon/server/router/container. */
export function createWarnings({ HostConfig }: ContainerCreateRequest): string[] {
  const emptyPorts = Object.entries(HostConfig?.PortBindings ?? {})
    .filter(([, bindings]) => !bindings || bindings.length === 0)
    .map(([port]) => (port.includes('/') ? port : `${port}/tcp`));
  return [
    ...(ignoresVolumeDriver(HostConfig)
      ? [
          `${IGNORED_VOLUME_DRIVER} for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead`,
        ]
      : []),
    ...(emptyPorts.length > 0
      ? [
          `${EMPTY_PORT_BINDINGS}: ${emptyPorts.join(', ')}. Such bindings will be discarded in a future version.`,
        ]
      : []),
  ];
}

function ignoresVolumeDriver(host: ContainerCreateRequest['HostConfig']): boolean {
  const volumes = (host?.Mounts ?? []).filter(({ Type }) => Type === 'volume');
  return (
    Boolean(host?.VolumeDriver) && volumes.some(({ VolumeOptions }) => !VolumeOptions?.DriverConfig?.Name)
  );
}
