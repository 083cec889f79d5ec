import type { DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice } from '#api';
import { parseBytes } from '#base';
import { cliError } from '../../core/errors.ts';

const CDI_NAME = /^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]\/[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*$/;

/** Whether a device is named through the Container Device Interface: `vendor.com/class=name`. */
export const isCdiDevice = (text: string): boolean => CDI_NAME.test(text);

const isMode = (text: string): boolean =>
  text !== '' &&
  /^r?w?m?$/.test([...new Set(text)].sort((a, b) => 'rwm'.indexOf(a) - 'rwm'.indexOf(b)).join(''));

/** @throws docker's text, to be completed by the flag's name. */
export function validateDevice(text: string): string {
  if (isCdiDevice(text)) return text;
  const parts = text.split(':');
  const [, second, third] = parts;
  const path = second !== undefined && !isMode(second) ? second : (parts[0] ?? '');
  if (!path.startsWith('/') && parts.length <= 3) throw new Error(`${path} is not an absolute path`);
  if (third !== undefined && parts.length === 3 && !isMode(third))
    throw new Error(`bad mode specified: ${third}`);
  return text;
}

/**
 * Parses `host[:container][:mode]`; the mode is `rwm` unless given.
 * @throws for more parts or a bad mode.
 */
export function parseDevice(text: string): DeviceMapping {
  const [host = '', second, third, ...rest] = text.split(':');
  if (rest.length > 0) throw cliError(`bad format for path: ${text}`);
  if (third === undefined && second !== undefined && isMode(second)) {
    return { PathOnHost: host, PathInContainer: host, CgroupPermissions: second };
  }
  return { PathOnHost: host, PathInContainer: second || host, CgroupPermissions: third ?? 'rwm' };
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
