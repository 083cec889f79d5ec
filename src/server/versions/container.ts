import {
  type ContainerCreateRequest,
  type ContainerInspectResponse,
  type ContainerSummary,
  type ContainerUpdateRequest,
  type EndpointSettings,
  type ExecCreateRequest,
  type ExecStartRequest,
  type Mount,
  STREAM_TYPE,
} from '#api';
import { invalidArgument } from '#base';
import type { Reply } from '../http/reply.ts';
import { type Change, type ChangeTable, omit, onEach, onValue, withoutParam, withParam } from './change.ts';

type HostConfig = NonNullable<ContainerCreateRequest['HostConfig']>;

const onCreate = (transform: (body: ContainerCreateRequest) => ContainerCreateRequest) =>
  transform as (body: unknown) => unknown;

const onHost = (transform: (host: HostConfig) => HostConfig) =>
  onCreate((body) => ({ ...body, HostConfig: transform(body.HostConfig ?? {}) }));

const onMounts = (transform: (mount: Mount) => Mount) =>
  onHost((host) => (host.Mounts ? { ...host, Mounts: host.Mounts.map(transform) } : host));

/** Before 1.42 hijacked streams and logs always say "raw". */
const rawStream = (reply: Reply): Reply => {
  if (reply.kind === 'hijack') return { ...reply, contentType: STREAM_TYPE.raw };
  if (reply.kind !== 'stream') return reply;
  return { ...reply, headers: { ...reply.headers, 'Content-Type': STREAM_TYPE.raw } };
};

const noSignal: Change = {
  before: 42,
  note: '`signal` is ignored.',
  query: withoutParam('signal'),
};

const noConsoleSize = <T extends ExecCreateRequest | ExecStartRequest>(): Change => ({
  before: 42,
  note: '`ConsoleSize` is ignored.',
  body: onValue<T>((body) => omit(body, 'ConsoleSize')),
});

/** docker-py 2 and older read the address of the bridge here. */
function withBridgeFields(container: ContainerInspectResponse): unknown {
  const bridge = container.NetworkSettings.Networks['bridge'];
  return {
    ...container,
    NetworkSettings: {
      Bridge: '',
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      ...container.NetworkSettings,
      ...bridgeFields(bridge),
    },
  };
}

function bridgeFields(bridge: EndpointSettings | undefined) {
  return {
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
  };
}

/** Before 1.45 short ID and host name stood among the aliases. */
function withLegacyAliases(container: ContainerInspectResponse): unknown {
  const { Networks } = container.NetworkSettings;
  const changed = Object.entries(Networks).map(([name, settings]) => {
    if (['bridge', 'host', 'none'].includes(name)) return [name, settings];
    const aliases = [...(settings.Aliases ?? []), container.Id.slice(0, 12), container.Config.Hostname];
    return [name, { ...settings, Aliases: [...new Set(aliases.filter(Boolean))] }];
  });
  const NetworkSettings = { ...container.NetworkSettings, Networks: Object.fromEntries(changed) };
  return { ...container, NetworkSettings };
}

function onlyOneEndpoint(body: ContainerCreateRequest): ContainerCreateRequest {
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

const CREATE: readonly Change[] = [
  {
    before: 40,
    note: 'The IPC namespace is shareable by default; `BindOptions.NonRecursive` is ignored.',
    body: onHost((host) => ({ ...host, IpcMode: host.IpcMode || 'shareable' })),
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
    note: 'One endpoint at most; read-only mounts are not recursive; `Healthcheck.StartInterval` is ignored.',
    body: onCreate((body) => {
      const { StartInterval: _, ...health } = body.Healthcheck ?? {};
      return onlyOneEndpoint(body.Healthcheck ? { ...body, Healthcheck: health } : body);
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
];

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

export const CONTAINER_CHANGES: ChangeTable = {
  ContainerList: [
    {
      before: 46,
      note: '`HostConfig.Annotations` is left out.',
      value: onEach<ContainerSummary>(({ HostConfig, ...rest }) => ({
        ...rest,
        HostConfig: omit(HostConfig, 'Annotations'),
      })),
    },
    {
      before: 48,
      note: 'No image manifest.',
      value: onEach<ContainerSummary>((item) => omit(item, 'ImageManifestDescriptor')),
    },
    {
      before: 52,
      note: '`Health` is left out.',
      value: onEach<ContainerSummary>((item) => omit(item, 'Health')),
    },
  ],
  ContainerInspect: [
    { before: 45, note: 'Short ID and host name are aliases.', value: onValue(withLegacyAliases) },
    {
      before: 52,
      note: 'Fields of the default bridge in `NetworkSettings`.',
      value: onValue(withBridgeFields),
    },
  ],
  ContainerCreate: CREATE,
  ContainerUpdate: [
    {
      before: 40,
      note: '`PidsLimit` is ignored.',
      body: onValue<ContainerUpdateRequest>((body) => omit(body, 'PidsLimit')),
    },
    {
      before: 55,
      note: 'Block I/O devices are ignored.',
      body: onValue<ContainerUpdateRequest>((body) =>
        omit(
          body,
          'BlkioWeightDevice',
          'BlkioDeviceReadBps',
          'BlkioDeviceWriteBps',
          'BlkioDeviceReadIOps',
          'BlkioDeviceWriteIOps',
        ),
      ),
    },
  ],
  ContainerStop: [noSignal],
  ContainerRestart: [noSignal],
  ContainerWait: [
    {
      before: 30,
      note: '`condition` is ignored; the status comes with the exit code.',
      query: (query) => withParam('early', 'false')(withoutParam('condition')(query)),
    },
  ],
  ContainerLogs: [{ before: 42, note: 'The content type is always raw.', reply: rawStream }],
  ContainerAttach: [{ before: 42, note: 'The content type is always raw.', reply: rawStream }],
  ContainerAttachWebsocket: [
    { before: 28, note: 'Messages are text.', query: withParam('text', '1') },
    {
      before: 42,
      note: 'All streams are attached, whatever is asked for.',
      query: (query) => ['stdin', 'stdout', 'stderr'].reduce((all, name) => withParam(name, '1')(all), query),
    },
  ],
  ContainerStats: [
    { before: 52, note: 'No `os_type`.', query: withParam('legacy', '1') },
    { before: 41, note: '`one-shot` is ignored.', query: withoutParam('one-shot') },
  ],
  ContainerExec: [noConsoleSize<ExecCreateRequest>()],
  ExecStart: [
    { before: 42, note: 'The content type is always raw.', reply: rawStream },
    noConsoleSize<ExecStartRequest>(),
  ],
};
