import { invalidArgument } from '#base';
import type { SpecDevice, SpecMount } from '#oci';
import { describeDevice, type SpecInput } from '#runtime';
import type { Engine } from '../engine.ts';
import { noDeviceDriver } from '../errors.ts';
import type { Container, DeviceRequest } from '../model.ts';
import { overrideEnv } from '../spec/env.ts';
import { CDI_SPEC_DIRS, CdiRegistry } from './cdi-registry.ts';
import type { CdiDeviceNode, CdiEdits, CdiMount } from './cdi-spec.ts';

/**
 * Adds what `--device vendor.com/class=name` and `--gpus` ask for.
 * @throws docker's texts for devices that nobody has described and drivers that do not exist.
 */
export function injectDevices(
  { defaults, logger }: Pick<Engine, 'defaults' | 'logger'>,
  { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>,
  input: SpecInput,
): SpecInput {
  if (hostConfig.deviceRequests.length === 0) return input;
  const registry = new CdiRegistry(defaults.cdiSpecDirs ?? CDI_SPEC_DIRS, logger);
  const names = hostConfig.deviceRequests.flatMap((request) => deviceNames(request, registry));
  const edits = registry.resolve([...new Set(names)]);
  if (edits.some(({ hooks }) => hooks > 0)) {
    logger.warn('hooks of CDI devices are not run', { container: id, devices: names });
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
  return Array.from({ length: count }, (_, index) => `${kind}=${index}`);
}

/** The kind of GPU that this machine has described. */
function gpuKind(registry: CdiRegistry): string | undefined {
  const kinds = registry.names
    .map((name) => name.split('=', 1)[0] ?? '')
    .filter((kind) => kind.endsWith('/gpu'));
  return kinds.find((kind) => kind === 'nvidia.com/gpu') ?? kinds[0];
}

function applyEdits(input: SpecInput, edits: CdiEdits): SpecInput {
  const devices = edits.deviceNodes.map(toDevice);
  const rules = devices.map(({ type, major, minor }, index) => ({
    allow: true,
    type,
    major,
    minor,
    access: edits.deviceNodes[index]?.permissions ?? 'rwm',
  }));
  return {
    ...input,
    process: {
      ...input.process,
      env: overrideEnv(input.process.env, edits.env),
      additionalGids: [...new Set([...input.process.additionalGids, ...edits.additionalGids])],
    },
    devices: [...input.devices, ...devices],
    deviceRules: [...input.deviceRules, ...rules],
    mounts: [...input.mounts, ...edits.mounts.map(toMount)],
  };
}

/** Type and numbers are the host's node's. @throws `invalid_argument` when there is none. */
function toDevice({ path, hostPath, uid, gid, fileMode }: CdiDeviceNode): SpecDevice {
  const node = describeDevice(hostPath ?? path);
  if (!node)
    throw invalidArgument(
      `CDI device injection failed: failed to stat CDI host device ${JSON.stringify(hostPath ?? path)}: no such file or directory`,
    );
  return {
    ...node,
    path,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(fileMode === undefined ? {} : { fileMode }),
  };
}

function toMount({ hostPath, containerPath, options }: CdiMount): SpecMount {
  const isBind = options.some((option) => option === 'bind' || option === 'rbind');
  return {
    type: 'bind',
    source: hostPath,
    destination: containerPath,
    options: isBind ? [...options] : ['rbind', ...options],
  };
}
