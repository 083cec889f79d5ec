import { invalidArgument } from '#base';
import { CdiFields } from './cdi-fields.ts';
import { requireVersion } from './cdi-version.ts';

/** What one device, or every device of a spec, changes in a container. Source: CDI SPEC.md, containerEdits. */
export interface CdiEdits {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly additionalGids: readonly number[];
  /** Programs of the host that the runtime runs. */
  readonly hooks: readonly CdiHook[];
  /** As the runtime spec has it. */
  readonly intelRdt: Readonly<Record<string, unknown>> | undefined;
  /** Interfaces of the host to be moved into the container. */
  readonly netDevices: readonly string[];
}

export interface CdiDeviceNode {
  /** In the container. */
  readonly path: string;
  /** On the host; the same when undefined. */
  readonly hostPath: string | undefined;
  /** Undefined: what the host's node is. */
  readonly type: DeviceType | undefined;
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** Subset of `rwm`. */
  readonly permissions: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly fileMode: number | undefined;
}

const DEVICE_TYPES = ['b', 'c', 'u', 'p'] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly options: readonly string[];
  readonly type: string | undefined;
}

export interface CdiHook {
  readonly name: CdiHookName;
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Seconds. */
  readonly timeout: number | undefined;
}

const HOOK_NAMES = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;
export type CdiHookName = (typeof HOOK_NAMES)[number];

/** One file: devices of one kind, `vendor.com/class`. */
export interface CdiSpec {
  readonly kind: string;
  readonly edits: CdiEdits;
  readonly devices: ReadonlyMap<string, CdiEdits>;
}

const NAME_END = '([\\w.-]*[A-Za-z0-9])?';
const KIND = new RegExp(`^[A-Za-z]${NAME_END}/[A-Za-z]${NAME_END}$`);
const DEVICE_NAME = /^[A-Za-z0-9]([\w.:-]*[A-Za-z0-9])?$/;

/**
 * Checks a parsed spec file, up to version 1.1 of the format. Fields that the format does not know, or not yet in the
 * version the file names, are refused: they could have been meant to hold a container back.
 * @throws `invalid_argument`.
 */
export function decodeCdiSpec(value: unknown): CdiSpec {
  const spec = new CdiFields(value, 'CDI spec', [
    'cdiVersion',
    'kind',
    'annotations',
    'containerEdits',
    'devices',
  ]);
  const kind = spec.text('kind');
  if (!KIND.test(kind)) throw invalidArgument(`invalid CDI kind ${JSON.stringify(kind)}`);
  const devices = new Map<string, CdiEdits>();
  const used = new Map<string, boolean>([
    ['0.6.0', spec.has('annotations') || (kind.split('/')[1] ?? '').includes('.')],
  ]);
  const edits = decodeEdits(spec.raw('containerEdits'), used);
  for (const item of spec.list('devices')) {
    const device = new CdiFields(item, 'device', ['name', 'annotations', 'containerEdits']);
    const name = decodeName(device);
    if (devices.has(name)) throw invalidArgument(`invalid CDI spec, multiple device ${JSON.stringify(name)}`);
    const own = decodeEdits(device.raw('containerEdits'), used);
    if (isEmpty(own)) throw invalidArgument(`invalid CDI device ${JSON.stringify(name)}, empty device edits`);
    note(used, '0.6.0', device.has('annotations'));
    note(used, '0.5.0', /^\d/.test(name));
    devices.set(name, own);
  }
  if (devices.size === 0) throw invalidArgument('invalid CDI spec, no devices');
  requireVersion(spec.text('cdiVersion'), used);
  return { kind, edits, devices };
}

/** A YAML device called 0 is a number. */
function decodeName(device: CdiFields): string {
  const name = String(device.raw('name') ?? '');
  if (!DEVICE_NAME.test(name)) throw invalidArgument(`invalid CDI device name ${JSON.stringify(name)}`);
  return name;
}

type Used = Map<string, boolean>;
const note = (used: Used, version: string, isUsed: boolean): void => {
  if (isUsed) used.set(version, true);
};

const isEmpty = ({ intelRdt, ...lists }: CdiEdits): boolean =>
  intelRdt === undefined && Object.values(lists).every((list) => list.length === 0);

function decodeEdits(value: unknown, used: Used): CdiEdits {
  const edits = new CdiFields(value ?? {}, 'containerEdits', [
    'env',
    'deviceNodes',
    'netDevices',
    'hooks',
    'mounts',
    'intelRdt',
    'additionalGids',
  ]);
  const gids = edits.numbers('additionalGids');
  const mounts = edits.list('mounts').map(decodeMount);
  const deviceNodes = edits.list('deviceNodes').map(decodeNode);
  note(
    used,
    '0.4.0',
    mounts.some(({ type }) => type !== undefined),
  );
  note(
    used,
    '0.5.0',
    deviceNodes.some(({ hostPath }) => hostPath !== undefined),
  );
  note(used, '0.7.0', gids.length > 0 || edits.has('intelRdt'));
  note(used, '1.1.0', edits.has('netDevices'));
  return {
    env: edits.texts('env').map(checkEnv),
    deviceNodes,
    mounts,
    additionalGids: gids.filter((gid) => gid !== 0),
    hooks: edits.list('hooks').map(decodeHook),
    intelRdt: edits.has('intelRdt') ? decodeRdt(edits.raw('intelRdt'), used) : undefined,
    netDevices: edits.list('netDevices').map(decodeNetDevice),
  };
}

function checkEnv(entry: string): string {
  if (entry.indexOf('=') <= 0) throw invalidArgument(`invalid environment variable ${JSON.stringify(entry)}`);
  return entry;
}

function decodeNode(value: unknown): CdiDeviceNode {
  const node = new CdiFields(value, 'device node', [
    ...['path', 'hostPath', 'type', 'major', 'minor', 'fileMode', 'permissions', 'uid', 'gid'],
  ]);
  const permissions = node.optionalText('permissions') ?? 'rwm';
  if (!/^[rwm]+$/.test(permissions)) {
    throw invalidArgument(`invalid CDI device permissions ${JSON.stringify(permissions)}`);
  }
  return {
    path: node.text('path'),
    hostPath: node.optionalText('hostPath'),
    type: node.choice('type', DEVICE_TYPES),
    major: node.optionalNumber('major'),
    minor: node.optionalNumber('minor'),
    permissions,
    uid: node.optionalNumber('uid'),
    gid: node.optionalNumber('gid'),
    fileMode: node.optionalNumber('fileMode'),
  };
}

function decodeMount(value: unknown): CdiMount {
  const mount = new CdiFields(value, 'mount', ['hostPath', 'containerPath', 'options', 'type']);
  return {
    hostPath: mount.text('hostPath'),
    containerPath: mount.text('containerPath'),
    options: mount.texts('options'),
    type: mount.optionalText('type'),
  };
}

function decodeHook(value: unknown): CdiHook {
  const hook = new CdiFields(value, 'hook', ['hookName', 'path', 'args', 'env', 'timeout']);
  const name = hook.choice('hookName', HOOK_NAMES);
  const path = hook.text('path');
  if (name === undefined) throw invalidArgument('hookName is missing');
  if (!path.startsWith('/')) throw invalidArgument(`path of a hook is not absolute: ${JSON.stringify(path)}`);
  return {
    name,
    path,
    args: hook.texts('args'),
    env: hook.texts('env').map(checkEnv),
    timeout: hook.optionalNumber('timeout'),
  };
}

const RDT_MAX_BYTES = 4096;

function decodeRdt(value: unknown, used: Used): Readonly<Record<string, unknown>> {
  const rdt = new CdiFields(value, 'intelRdt', [
    ...['closID', 'l3CacheSchema', 'memBwSchema', 'schemata'],
    ...['enableCMT', 'enableMBM', 'enableMonitoring'],
  ]);
  const closID = rdt.optionalText('closID');
  if (closID !== undefined && (closID.length >= RDT_MAX_BYTES || /^\.{1,2}$|[/\n]/.test(closID))) {
    throw invalidArgument('invalid closID of intelRdt');
  }
  note(used, '1.1.0', rdt.has('schemata') || rdt.has('enableMonitoring'));
  return rdt.all;
}

function decodeNetDevice(value: unknown): string {
  const device = new CdiFields(value, 'network device', ['hostInterfaceName', 'name']);
  device.text('name');
  return device.text('hostInterfaceName');
}
