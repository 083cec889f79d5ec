import {
  type ContainerInspectResponse,
  type ContainerSummary,
  type ContainerUpdateRequest,
  type EndpointSettings,
  type ExecCreateRequest,
  type ExecStartRequest,
  STREAM_TYPE,
} from '#api';
import type { Reply } from '../http/reply.ts';
import {
  type Change,
  type ChangeTable,
  omit,
  onStableEach,
  onValue,
  withoutParam,
  withParam,
} from './change.ts';

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
  const { SandboxID, SandboxKey, Ports, Networks } = container.NetworkSettings;
  return {
    ...container,
    NetworkSettings: {
      Bridge: '',
      SandboxID,
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      Ports,
      SandboxKey,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      ...bridgeFields(Networks['bridge']),
      Networks,
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

export const CONTAINER_CHANGES: ChangeTable = {
  ContainerList: [
    {
      before: 46,
      note: '`HostConfig.Annotations` is left out.',
      value: onStableEach<ContainerSummary>((item) => ({
        ...item,
        HostConfig: omit(item.HostConfig, 'Annotations'),
      })),
    },
    {
      before: 48,
      note: 'No image manifest.',
      value: onStableEach<ContainerSummary>((item) => omit(item, 'ImageManifestDescriptor')),
    },
    {
      before: 52,
      note: '`Health` is left out.',
      value: onStableEach<ContainerSummary>((item) => omit(item, 'Health')),
    },
  ],
  ContainerInspect: [
    { before: 45, note: 'Short ID and host name are aliases.', value: onValue(withLegacyAliases) },
    {
      before: 52,
      note: 'Fields of the default bridge in `NetworkSettings`; `Config.MacAddress` when one was asked for.',
      query: withParam('legacy', '1'),
      value: onValue(withBridgeFields),
    },
  ],
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
      before: 34,
      note: 'A removal that failed is answered with nothing.',
      query: (query) => (query.get('condition')?.[0] === 'removed' ? withParam('mute', '1')(query) : query),
    },
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
