import type { ContainerCreateRequest, ContainerCreateResponse, EndpointSettingsRequest, Mount } from '#api';
import { invalidArgument } from '#base';
import { EMPTY_PORT_BINDINGS, IGNORED_VOLUME_DRIVER } from '../convert/create-warnings.ts';
import { normalizeNetworkMode } from '../convert/host-config.ts';
import { type Change, onValue, withoutParam } from './change.ts';

/** A create body, with what the version table has to tell the client about it. */
export interface CreateBody extends ContainerCreateRequest {
  readonly migrations?: readonly string[];
  readonly readOnlyNonRecursive?: boolean;
}

type HostConfig = NonNullable<ContainerCreateRequest['HostConfig']>;

const onCreate = (transform: (body: CreateBody) => CreateBody) => transform as (body: unknown) => unknown;

const onHost = (transform: (host: HostConfig) => HostConfig) =>
  onCreate((body) => ({ ...body, HostConfig: transform(body.HostConfig ?? {}) }));

const onMounts = (transform: (mount: Mount) => Mount) =>
  onHost((host) => (host.Mounts ? { ...host, Mounts: host.Mounts.map(transform) } : host));

function onlyOneEndpoint(body: CreateBody): CreateBody {
  const names = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
  if (names.length > 1) {
    throw invalidArgument(`Container cannot be created with multiple network endpoints: ${names.join(', ')}`);
  }
  return body;
}

function refuseMount(field: string, isUsed: (mount: Mount) => boolean | undefined) {
  return onMounts((mount) => {
    if (isUsed(mount)) throw invalidArgument(field);
    return mount;
  });
}

export const CREATE_CHANGES: readonly Change[] = [
  {
    before: 40,
    note: 'The IPC namespace is shareable by default; `BindOptions.NonRecursive` is ignored.',
    body: onHost((host) => ({
      ...host,
      IpcMode: host.IpcMode || 'shareable',
      ...(host.Mounts ? { Mounts: host.Mounts.map(withoutNonRecursive) } : {}),
    })),
  },
  {
    before: 40,
    note: '`Capabilities` is ignored.',
    body: onHost(({ Capabilities: _, ...host }) => host),
  },
  {
    before: 41,
    note: "`Capabilities` is refused: the field was this version's only.",
    body: onHost(withoutCapabilities),
  },
  {
    before: 41,
    note: '`platform` is ignored.',
    query: withoutParam('platform'),
  },
  {
    before: 42,
    note: '`ConsoleSize` and options of another mount type are ignored.',
    body: onHost(({ ConsoleSize: _, ...host }) => ({
      ...host,
      ...(host.Mounts ? { Mounts: host.Mounts.map(onlyOwnOptions) } : {}),
    })),
  },
  {
    before: 43,
    note: '`Annotations` is ignored.',
    body: onHost(({ Annotations: _, ...host }) => host),
  },
  {
    before: 44,
    note: '`MacAddress` of an endpoint is ignored; that of the container needs a network of its own.',
    body: onCreate(withContainerMacOnly),
  },
  {
    before: 44,
    note: 'One endpoint at most; read-only mounts are not recursive; `Healthcheck.StartInterval` is ignored.',
    body: onCreate((body) => {
      const { StartInterval: _, ...health } = body.Healthcheck ?? {};
      const shallow = { ...body, readOnlyNonRecursive: true };
      return onlyOneEndpoint(body.Healthcheck ? { ...shallow, Healthcheck: health } : shallow);
    }),
  },
  {
    before: 44,
    note: '`BindOptions.ReadOnlyForceRecursive` is refused.',
    body: refuseMount(
      'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer',
      (mount) => mount.BindOptions?.ReadOnlyForceRecursive,
    ),
  },
  {
    before: 45,
    note: '`VolumeOptions.Subpath` is refused.',
    body: refuseMount(
      'VolumeOptions.Subpath needs API v1.45 or newer',
      (mount) => (mount.VolumeOptions?.Subpath ?? '') !== '',
    ),
  },
  {
    before: 48,
    note: 'Mounts of type image are refused.',
    body: refuseMount('Mount type "Image" needs API v1.48 or newer', ({ Type }) => Type === 'image'),
  },
  {
    before: 48,
    note: '`GwPriority` of endpoints is ignored.',
    body: onCreate((body) => onEndpoints(body, ({ GwPriority: _, ...endpoint }) => endpoint)),
  },
  {
    before: 48,
    note: 'No warning about a `VolumeDriver` that is ignored.',
    value: withoutWarning(IGNORED_VOLUME_DRIVER),
  },
  {
    before: 52,
    note: "`MacAddress` of the container is the main network's, with a warning since 1.44.",
    body: onCreate(moveMac),
  },
  {
    before: 52,
    note: 'No warning about ports without bindings.',
    value: withoutWarning(EMPTY_PORT_BINDINGS),
  },
];

/** What it asked for is not to be had by dropping it. @throws `invalid_argument` with docker's text. */
function withoutCapabilities(host: HostConfig): HostConfig {
  if ((host.Capabilities ?? []).length === 0) return host;
  throw invalidArgument(
    'the HostConfig.Capabilities field is not supported by this daemon; use CapAdd and CapDrop to set capabilities',
  );
}

function withoutNonRecursive({ BindOptions, ...mount }: Mount): Mount {
  const { NonRecursive: _, ...bind } = BindOptions ?? {};
  return BindOptions ? { ...mount, BindOptions: bind } : mount;
}

function withoutWarning(beginning: string): NonNullable<Change['value']> {
  return onValue<ContainerCreateResponse>((answer) => ({
    ...answer,
    Warnings: answer.Warnings?.filter((warning) => !warning.startsWith(beginning)) ?? null,
  }));
}

function onEndpoints(
  body: CreateBody,
  transform: (endpoint: EndpointSettingsRequest, name: string) => EndpointSettingsRequest,
): CreateBody {
  const endpoints = body.NetworkingConfig?.EndpointsConfig;
  if (!endpoints) return body;
  const changed = Object.entries(endpoints).map(([name, endpoint]) => [
    name,
    transform(endpoint ?? {}, name),
  ]);
  return { ...body, NetworkingConfig: { EndpointsConfig: Object.fromEntries(changed) } };
}

/** An address for the container can only be had where the container gets a network card. */
function withContainerMacOnly({ MacAddress, ...body }: CreateBody): CreateBody {
  if (!MacAddress) return onEndpoints(body, ({ MacAddress: _, ...endpoint }) => endpoint);
  if (!hasOwnNetwork(body)) throw invalidArgument('conflicting options: mac-address and the network mode');
  const endpoints = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
  // Whatever the one endpoint is called, it was the container's.
  if (endpoints.length > 0) return onEndpoints(body, (endpoint) => ({ ...endpoint, MacAddress }));
  return withEndpointMac(body, MacAddress);
}

const networkOf = ({ HostConfig }: CreateBody): string => normalizeNetworkMode(HostConfig?.NetworkMode ?? '');

const hasOwnNetwork = (body: CreateBody): boolean =>
  !['host', 'none'].includes(networkOf(body)) && !networkOf(body).startsWith('container:');

const MOVED_MAC =
  'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.';

/** Since 1.44 the address belongs to the endpoint of the main network. */
function moveMac({ MacAddress, ...body }: CreateBody): CreateBody {
  if (!MacAddress) return body;
  const moved = { ...body, migrations: [...(body.migrations ?? []), MOVED_MAC] };
  return hasOwnNetwork(body) ? withEndpointMac(moved, MacAddress) : moved;
}

/** @throws `invalid_argument` when it is not clear which endpoint is meant, or it has another address. */
function withEndpointMac(body: CreateBody, mac: string): CreateBody {
  const endpoints = body.NetworkingConfig?.EndpointsConfig ?? {};
  const network = networkOf(body);
  const name = Object.keys(endpoints).find((key) => normalizeNetworkMode(key) === network);
  if (name === undefined && Object.keys(endpoints).length > 0) {
    throw invalidArgument(
      'unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
    );
  }
  const own = endpoints[name ?? network] ?? {};
  if (own.MacAddress && own.MacAddress !== mac) {
    throw invalidArgument(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    );
  }
  return {
    ...body,
    NetworkingConfig: { EndpointsConfig: { ...endpoints, [name ?? network]: { ...own, MacAddress: mac } } },
  };
}

/** Options that belong to another mount type were not checked before 1.42. */
function onlyOwnOptions(mount: Mount): Mount {
  const { BindOptions, VolumeOptions, TmpfsOptions, ...rest } = mount;
  const { CreateMountpoint: _, ...bind } = BindOptions ?? {};
  return {
    ...rest,
    ...(BindOptions ? { BindOptions: bind } : {}),
    ...(VolumeOptions && mount.Type === 'volume' ? { VolumeOptions } : {}),
    ...(TmpfsOptions && mount.Type === 'tmpfs' ? { TmpfsOptions } : {}),
  };
}
