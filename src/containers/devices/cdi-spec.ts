import { invalidArgument } from '#base';

/** What one device, or every device of a spec, changes in a container. Source: CDI SPEC.md, containerEdits. */
export interface CdiEdits {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly additionalGids: readonly number[];
  /** Programs that the device wants to have run. They are not. */
  readonly hooks: number;
}

export interface CdiDeviceNode {
  /** In the container. */
  readonly path: string;
  /** On the host; the same when undefined. */
  readonly hostPath: string | undefined;
  /** Subset of `rwm`. */
  readonly permissions: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly fileMode: number | undefined;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly options: readonly string[];
}

/** One file: devices of one kind, `vendor.com/class`. */
export interface CdiSpec {
  readonly kind: string;
  readonly edits: CdiEdits;
  readonly devices: ReadonlyMap<string, CdiEdits>;
}

const KIND = /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*$/;
const DEVICE_NAME = /^[A-Za-z0-9][\w.:-]*$/;

type Fields = Readonly<Record<string, unknown>>;

/** Checks a parsed spec file. @throws `invalid_argument`. */
export function decodeCdiSpec(value: unknown): CdiSpec {
  const spec = fields(value, 'CDI spec');
  const kind = text(spec['kind'], 'kind');
  if (!KIND.test(kind)) throw invalidArgument(`invalid CDI kind ${JSON.stringify(kind)}`);
  const devices = new Map<string, CdiEdits>();
  for (const item of list(spec['devices'], 'devices')) {
    const device = fields(item, 'device');
    // A YAML device called 0 is a number.
    const name = String(device['name'] ?? '');
    if (!DEVICE_NAME.test(name)) throw invalidArgument(`invalid CDI device name ${JSON.stringify(name)}`);
    devices.set(name, decodeEdits(device['containerEdits']));
  }
  return { kind, edits: decodeEdits(spec['containerEdits']), devices };
}

function decodeEdits(value: unknown): CdiEdits {
  const edits = fields(value ?? {}, 'containerEdits');
  return {
    env: list(edits['env'], 'env').map((entry) => text(entry, 'env')),
    deviceNodes: list(edits['deviceNodes'], 'deviceNodes').map(decodeNode),
    mounts: list(edits['mounts'], 'mounts').map(decodeMount),
    additionalGids: list(edits['additionalGids'], 'additionalGids').map((gid) => number(gid, 'gid')),
    hooks: list(edits['hooks'], 'hooks').length,
  };
}

function decodeNode(value: unknown): CdiDeviceNode {
  const node = fields(value, 'device node');
  const optional = (name: string) => (node[name] === undefined ? undefined : number(node[name], name));
  return {
    path: text(node['path'], 'path'),
    hostPath: node['hostPath'] === undefined ? undefined : text(node['hostPath'], 'hostPath'),
    permissions: node['permissions'] === undefined ? 'rwm' : text(node['permissions'], 'permissions'),
    uid: optional('uid'),
    gid: optional('gid'),
    fileMode: optional('fileMode'),
  };
}

function decodeMount(value: unknown): CdiMount {
  const mount = fields(value, 'mount');
  return {
    hostPath: text(mount['hostPath'], 'hostPath'),
    containerPath: text(mount['containerPath'], 'containerPath'),
    options: list(mount['options'], 'options').map((option) => text(option, 'option')),
  };
}

function fields(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalidArgument(`${what} is not an object`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw invalidArgument(`${what} is not a list`);
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalidArgument(`${what} is not a text`);
}

function number(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw invalidArgument(`${what} is not a number`);
}
