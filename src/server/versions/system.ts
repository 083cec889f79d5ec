import type { SystemDataUsage, SystemInfo } from '#api';
import { type ChangeTable, omit, onValue, withoutParam, withParam } from './change.ts';

export const SYSTEM_CHANGES: ChangeTable = {
  SystemInfo: [
    {
      before: 44,
      note: 'Runtimes have no `status`.',
      value: onValue<SystemInfo>((info) => ({
        ...info,
        Runtimes: Object.fromEntries(
          Object.entries(info.Runtimes).map(([name, runtime]) => [name, omit(runtime, 'status')]),
        ),
      })),
    },
    {
      before: 47,
      note: 'Settings of non-distributable artifacts, empty.',
      value: onValue<SystemInfo>((info) => ({
        ...info,
        RegistryConfig: {
          AllowNondistributableArtifactsCIDRs: null,
          AllowNondistributableArtifactsHostnames: null,
          ...info.RegistryConfig,
        },
      })),
    },
    {
      before: 49,
      note: 'No `FirewallBackend`; commits have `Expected`.',
      value: onValue<SystemInfo>(({ FirewallBackend: _, ...info }) => ({
        ...info,
        ContainerdCommit: { ...info.ContainerdCommit, Expected: info.ContainerdCommit.ID },
        RuncCommit: { ...info.RuncCommit, Expected: info.RuncCommit.ID },
        InitCommit: { ...info.InitCommit, Expected: info.InitCommit.ID },
      })),
    },
    {
      before: 50,
      note: '`BridgeNfIptables` and `BridgeNfIp6tables`, false; no `DiscoveredDevices`.',
      value: onValue<SystemInfo>(({ DiscoveredDevices: _, ...info }) => ({
        ...info,
        BridgeNfIptables: false,
        BridgeNfIp6tables: false,
      })),
    },
  ],
  SystemEvents: [
    {
      before: 46,
      note: 'No `create` of images.',
      query: withParam('noImageCreate', '1'),
    },
    {
      before: 52,
      note: '`status`, `id` and `from` beside the new fields; the content type is JSON.',
      query: withParam('legacy', '1'),
    },
  ],
  SystemDataUsage: [
    { before: 42, note: '`type` is ignored.', query: withoutParam('type') },
    {
      before: 52,
      note: 'Lists only, no groups; `verbose` is ignored.',
      query: withoutParam('verbose'),
      value: onValue<SystemDataUsage>((usage) =>
        omit(usage, 'ImageUsage', 'ContainerUsage', 'VolumeUsage', 'BuildCacheUsage'),
      ),
    },
    {
      before: 44,
      note: 'Images have `VirtualSize`.',
      value: onValue<SystemDataUsage>((usage) => ({
        ...usage,
        ...(usage.Images
          ? { Images: usage.Images.map((image) => ({ ...image, VirtualSize: image.Size })) }
          : {}),
      })),
    },
  ],
};
