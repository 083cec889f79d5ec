import type { ContainerSummary, PortSummary } from '#api';
import { formatBytes, shortId } from '#base';
import { goQuote } from '../template/quote.ts';
import { Struct } from '../template/values.ts';
import type { ListLayout } from './list.ts';
import { ago, ellipsis, goTime, joinLabels, labelOf } from './text.ts';

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

/** Columns of `ps`. */
export const CONTAINER_LAYOUT: ListLayout = {
  headers: {
    ID: 'CONTAINER ID',
    Names: 'NAMES',
    Image: 'IMAGE',
    Platform: 'PLATFORM',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
  },
  table: '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}',
  quiet: 'ID',
};

/** With `--size`. */
export const CONTAINER_SIZE_LAYOUT: ListLayout = {
  ...CONTAINER_LAYOUT,
  table: `${CONTAINER_LAYOUT.table}\t{{.Size}}`,
};

/** One container as templates see it. */
export function containerRow(
  container: ContainerSummary,
  options: { readonly truncate: boolean; readonly nowMs: number },
): Struct {
  const { truncate, nowMs } = options;
  const mounts = container.Mounts ?? [];
  const platform = container.ImageManifestDescriptor?.platform;
  return new Struct('*formatter.ContainerContext', {
    ID: () => (truncate ? shortId(container.Id) : container.Id),
    Names: () => names(container.Names ?? [], truncate),
    Image: () => imageName(container, truncate),
    Platform: () =>
      platform ? [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/') : null,
    Command: () => goQuote(truncate ? ellipsis(container.Command, COMMAND_WIDTH) : container.Command),
    CreatedAt: () => goTime(new Date(container.Created * 1000)),
    RunningFor: () => ago(container.Created, nowMs),
    Ports: () => displayPorts(container.Ports ?? []),
    State: () => container.State,
    Status: () => container.Status,
    Size: () => size(container),
    Labels: () => joinLabels(container.Labels),
    Label: (name: string) => labelOf(container.Labels, name),
    Mounts: () =>
      mounts
        .map(({ Name, Source }) => Name || Source || '')
        .map((name) => (truncate ? ellipsis(name, MOUNT_WIDTH) : name))
        .join(','),
    LocalVolumes: () =>
      String(mounts.filter(({ Driver, Type }) => Type === 'volume' && Driver === 'local').length),
    Networks: () =>
      Object.keys(container.NetworkSettings?.Networks ?? {})
        .sort()
        .join(','),
  });
}

/** Without the slash; linked names (`/other/alias`) only in full. */
function names(all: readonly string[], truncate: boolean): string {
  const bare = all.map((name) => name.replace(/^\//, ''));
  return (truncate ? bare.filter((name) => !name.includes('/')) : bare).join(',');
}

function imageName({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === '') return '<no image>';
  if (!truncate) return Image;
  if (shortId(ImageID) === shortId(Image)) return shortId(ImageID);
  // A name with tag and digest is shown without the digest.
  return /^[^@]+:[^/@]+@/.test(Image) ? Image.slice(0, Image.indexOf('@')) : Image;
}

function size({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = formatBytes(SizeRw, 3);
  return SizeRootFs > 0 ? `${own} (virtual ${formatBytes(SizeRootFs, 3)})` : own;
}

const joinHostPort = (host: string, port: number | string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

interface PortGroup {
  readonly ip: string;
  readonly type: string;
  readonly first: number;
  last: number;
}

const groupText = ({ ip, type, first, last }: PortGroup): string => {
  const range = first === last ? `${first}` : `${first}-${last}`;
  return `${ip === '' ? range : `${joinHostPort(ip, range)}->${range}`}/${type}`;
};

function comparePorts(a: PortSummary, b: PortSummary): number {
  const byIp = (a.IP ?? '') < (b.IP ?? '') ? -1 : (a.IP ?? '') > (b.IP ?? '') ? 1 : 0;
  return (
    a.PrivatePort - b.PrivatePort ||
    byIp ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    (a.Type < b.Type ? -1 : a.Type > b.Type ? 1 : 0)
  );
}

/** `0.0.0.0:8080->80/tcp, 90-92/tcp`: neighbouring ports that are published as themselves become ranges. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const open = new Map<string, PortGroup>();
  const closed: string[] = [];
  const mappings: string[] = [];
  for (const { IP: ip = '', PrivatePort, PublicPort = 0, Type } of [...ports].sort(comparePorts)) {
    if (ip !== '' && PublicPort !== PrivatePort) {
      mappings.push(`${joinHostPort(ip, PublicPort)}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = `${ip}/${Type}`;
    const group = open.get(key);
    if (group && group.last + 1 === PrivatePort) {
      group.last = PrivatePort;
      continue;
    }
    if (group) closed.push(groupText(group));
    open.set(key, { ip, type: Type, first: PrivatePort, last: PrivatePort });
  }
  return [...closed, ...[...open.values()].map(groupText), ...mappings].join(', ');
}
