import { invalidArgument } from '#base';
import type { SpecDevice, SpecHook, SpecHooks, SpecMount } from '#oci';
import { describeDevice, type SpecInput } from '#runtime';
import type { Engine } from '../engine.ts';
import { injectionFailed, noDeviceDriver } from '../errors.ts';
import type { Container, DeviceRequest } from '../model.ts';
import { overrideEnv } from '../spec/env.ts';
import { CDI_SPEC_DIRS, CdiRegistry } from './cdi-registry.ts';
import type { CdiDeviceNode, CdiEdits, CdiHook, CdiMount } from './cdi-spec.ts';

/** How many missing GPUs an error names. */
const MAX_MISSING = 100;

/**
 * Adds what `--device vendor.com/class=name` and `--gpus` ask for.
 * @throws docker's texts for devices that nobody has described and drivers that do not exist.
 */
export function injectDevices(
  { defaults, logger }: Pick<Engine, 'defaults' | 'logger'>,
  { hostConfig }: Pick<Container, 'hostConfig'>,
  input: SpecInput,
): SpecInput {
  if (hostConfig.deviceRequests.length === 0) return input;
  const registry = new CdiRegistry(defaults.cdiSpecDirs ?? CDI_SPEC_DIRS, logger);
  const names = hostConfig.deviceRequests.flatMap((request) => deviceNames(request, registry));
  const edits = registry.resolve([...new Set(names)]);
  const netDevices = edits.flatMap((edit) => edit.netDevices);
  if (netDevices.length > 0) {
    throw injectionFailed(`network devices are not supported: ${netDevices.join(', ')}`);
  }
  return edits.reduce(applyEdits, input);
}

/** @throws docker's text when nobody can answer the request. */
function deviceNames(request: DeviceRequest, registry: CdiRegistry): readonly string[] {
  const { driver, capabilities, deviceIds, count, options } = request;
  if (driver === 'cdi') {
    if (count !== 0) throw invalidArgument('unexpected count in CDI device request');
    if (Object.keys(options).length > 0) throw invalidArgument('unexpected options in CDI device request');
    return deviceIds;
  }
  const wantsGpu = capabilities.some((group) => group.includes('gpu'));
  const kind = wantsGpu && (driver === '' || driver === 'nvidia') ? gpuKind(registry) : undefined;
  if (kind === undefined) throw noDeviceDriver(driver, capabilities);
  if (deviceIds.length > 0) return deviceIds.map((device) => `${kind}=${device}`);
  if (count < 0) return [`${kind}=all`];
  // Some that are missing are told as docker does; a number that nobody can mean must not cost anything.
  const length = Math.min(count, registry.names.length + MAX_MISSING);
  return Array.from({ length }, (_, index) => `${kind}=${index}`);
}

/** The kind of GPU that this machine has described. */
function gpuKind(registry: CdiRegistry): string | undefined {
  const kinds = registry.names
    .map((name) => name.split('=', 1)[0] ?? '')
    .filter((kind) => kind.endsWith('/gpu'));
  return kinds.find((kind) => kind === 'nvidia.com/gpu') ?? kinds[0];
}

function applyEdits(input: SpecInput, edits: CdiEdits): SpecInput {
  const devices = edits.deviceNodes.map((node) => toDevice(node, input));
  const rules = devices.flatMap(({ type, major, minor }, index) => {
    const access = edits.deviceNodes[index]?.permissions ?? 'rwm';
    return type === 'b' || type === 'c' ? [{ allow: true, type, major, minor, access }] : [];
  });
  const replaced = new Set(devices.map(({ path }) => path));
  const hidden = new Set(edits.mounts.map(({ containerPath }) => containerPath));
  return {
    ...input,
    process: {
      ...input.process,
      env: overrideEnv(input.process.env, edits.env),
      additionalGids: [...new Set([...input.process.additionalGids, ...edits.additionalGids])],
    },
    devices: [...input.devices.filter(({ path }) => !replaced.has(path)), ...devices],
    deviceRules: [...input.deviceRules, ...rules],
    mounts: [
      ...input.mounts.filter(({ destination }) => !hidden.has(destination)),
      ...edits.mounts.map(toMount),
    ],
    ...(edits.hooks.length > 0 ? { hooks: edits.hooks.reduce(addHook, input.hooks ?? {}) } : {}),
    ...(edits.intelRdt ? { intelRdt: edits.intelRdt } : {}),
  };
}

function addHook(hooks: SpecHooks, { name, path, args, env, timeout }: CdiHook): SpecHooks {
  const hook: SpecHook = {
    path,
    ...(args.length > 0 ? { args: [...args] } : {}),
    ...(env.length > 0 ? { env: [...env] } : {}),
    ...(timeout === undefined ? {} : { timeout }),
  };
  return { ...hooks, [name]: [...(hooks[name] ?? []), hook] };
}

/** The owner is the container's user unless the spec names one. */
function toDevice(node: CdiDeviceNode, { process }: SpecInput): SpecDevice {
  const uid = node.uid ?? (process.uid > 0 ? process.uid : undefined);
  const gid = node.gid ?? (process.gid > 0 ? process.gid : undefined);
  return {
    path: node.path,
    ...deviceNumbers(node),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(node.fileMode === undefined ? {} : { fileMode: node.fileMode }),
  };
}

/** What the spec leaves open is the host's node's. @throws when that is missing or another kind of device. */
function deviceNumbers(node: CdiDeviceNode): Pick<SpecDevice, 'type' | 'major' | 'minor'> {
  const { type, major = 0, minor = 0 } = node;
  if (type === 'p' || (type !== undefined && major !== 0)) return { type, major, minor };
  const hostPath = node.hostPath ?? node.path;
  const found = describeDevice(hostPath);
  if (!found) {
    throw injectionFailed(
      `failed to stat CDI host device ${JSON.stringify(hostPath)}: no such file or directory`,
    );
  }
  if (type !== undefined && type !== found.type) {
    const names = `${JSON.stringify(node.path)}, ${JSON.stringify(hostPath)}`;
    throw injectionFailed(`CDI device (${names}), host type mismatch (${type}, ${found.type})`);
  }
  return major === 0
    ? { type: found.type, major: found.major, minor: found.minor }
    : { type: found.type, major, minor };
}

function toMount({ hostPath, containerPath, options, type }: CdiMount): SpecMount {
  const given = { source: hostPath, destination: containerPath };
  if (type !== undefined && type !== 'bind') return { type, ...given, options: [...options] };
  const isBind = options.some((option) => option === 'bind' || option === 'rbind');
  return { type: 'bind', ...given, options: isBind ? [...options] : ['rbind', ...options] };
}
