import type { DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice } from '#api';
import { parseBytes } from '#base';
import { cliError } from '../../core/errors.ts';

const CDI_NAME = /^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]\/[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*$/;

/** Whether a device is named through the Container Device Interface: `vendor.com/class=name`. */
export const isCdiDevice = (text: string): boolean => CDI_NAME.test(text);

const isMode = (text: string): boolean =>
  text !== '' &&
  /^r?w?m?$/.test([...new Set(text)].sort((a, b) => 'rwm'.indexOf(a) - 'rwm'.indexOf(b)).join(''));

/**
 * Parses `host[:container][:mode]`; the mode is `rwm` unless given.
 * @throws docker's texts for more parts, a bad mode, or a path that is not absolute.
 */
export function parseDevice(text: string): DeviceMapping {
  const [host = '', second, third, ...rest] = text.split(':');
  if (rest.length > 0 || host === '') throw cliError(`bad format for path: ${text}`);
  const isShort = third === undefined && second !== undefined && isMode(second);
  if (third !== undefined && !isMode(third)) throw cliError(`bad mode specified: ${third}`);
  const path = isShort ? host : (second ?? host);
  if (!path.startsWith('/')) throw cliError(`${path} is not an absolute path`);
  const mode = isShort ? second : third;
  return { PathOnHost: host, PathInContainer: path, CgroupPermissions: mode ?? 'rwm' };
}

/** CDI names become one device request. */
export function cdiRequests(texts: readonly string[]): DeviceRequest[] {
  if (texts.length === 0) return [];
  return [{ Driver: 'cdi', Count: 0, DeviceIDs: texts, Capabilities: null, Options: null }];
}

const splitAtColon = (text: string): readonly [string, string] => {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
};

/** `path:rate` values, already checked. */
export const toThrottle = (texts: readonly string[]): ThrottleDevice[] =>
  texts.map((text) => {
    const [Path, rate] = splitAtColon(text);
    return { Path, Rate: parseBytes(rate) };
  });

export const toWeights = (texts: readonly string[]): WeightDevice[] =>
  texts.map((text) => {
    const [Path, weight] = splitAtColon(text);
    return { Path, Weight: Number(weight) };
  });
