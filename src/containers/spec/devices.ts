import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, invalidArgument } from '#base';
import type { SpecDevice } from '#oci';
import { describeDevice, type SpecInput } from '#runtime';
import type { DeviceMapping, Resources } from '../model.ts';

type DeviceRule = SpecInput['deviceRules'][number];

/** `--device` and `--device-cgroup-rule` as the runtime takes them. @throws `invalid_argument` with docker's texts. */
export function specDevices(resources: Pick<Resources, 'devices' | 'deviceCgroupRules'>): {
  devices: SpecDevice[];
  deviceRules: DeviceRule[];
} {
  const mapped = resources.devices.flatMap((mapping) =>
    mapDevice(mapping).map((device) => ({ device, access: accessOf(mapping) })),
  );
  const allowed = mapped.filter(({ access }) => access !== '');
  const rules = allowed.map(({ device, access }) => ({
    allow: true,
    type: device.type,
    major: device.major,
    minor: device.minor,
    access,
  }));
  return {
    devices: mapped.map(({ device }) => device),
    deviceRules: [...rules, ...resources.deviceCgroupRules.map(parseDeviceRule)],
  };
}

/** Letters that are no permission give none, as with docker. */
const accessOf = ({ cgroupPermissions }: DeviceMapping): string =>
  (cgroupPermissions || 'rwm').replace(/[^rwm]/g, '');

/** One node, or every node below a directory, which has some. */
function mapDevice({ pathOnHost, pathInContainer }: DeviceMapping): SpecDevice[] {
  const target = pathInContainer || pathOnHost;
  const fail = (reason: string): never => {
    throw invalidArgument(
      `error gathering device information while adding custom device ${JSON.stringify(pathOnHost)}: ${reason}`,
    );
  };
  try {
    const path = realpathSync(pathOnHost);
    const nodes = lstatSync(path).isDirectory() ? nodesBelow(path, target) : nodeAt(path, target);
    return nodes.length > 0 ? nodes : fail('not a device node');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return fail('no such file or directory');
    throw error;
  }
}

function nodesBelow(directory: string, target: string): SpecDevice[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return nodesBelow(path, join(target, entry.name));
    return nodeAt(path, join(target, entry.name));
  });
}

function nodeAt(path: string, target: string): SpecDevice[] {
  const device = describeDevice(path);
  return device ? [{ ...device, path: target }] : [];
}

const RULE = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/;

/** `c 42:* rmw`. @throws `invalid_argument` (`invalid device cgroup rule format: 'X'`). */
export function parseDeviceRule(text: string): DeviceRule {
  const match = RULE.exec(text);
  if (!match) throw invalidArgument(`invalid device cgroup rule format: '${text}'`);
  const [, type = 'a', major, minor, access = 'rwm'] = match;
  return {
    allow: true,
    type,
    access,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
  };
}
