import { isIpAddress } from './ip.ts';

/** Checks of single flag values. Each error completes `invalid argument "x" for "--flag" flag: `. Texts: docker CLI. */

const complain = (text: string): never => {
  throw new Error(text);
};

/** `NAME` or `NAME=value`. */
export function validateEnv(value: string): string {
  return value === '' || value.startsWith('=') ? complain(`invalid environment variable: ${value}`) : value;
}

/** `key` or `key=value`. */
export function validateLabel(value: string): string {
  return value.split('=')[0]?.trim() === '' ? complain(`invalid label '${value}': empty name`) : value;
}

/** STDIN, STDOUT or STDERR in any case. */
export function validateAttach(value: string): string {
  const name = value.toLowerCase();
  return /^(stdin|stdout|stderr)$/.test(name) ? name : complain('valid streams are STDIN, STDOUT and STDERR');
}

/** `host:ip` or `host=ip`; the IP may be `host-gateway`. Normalised to the colon. */
export function validateExtraHost(value: string): string {
  const match = /^([^:=]+)[:=](.+)$/s.exec(value);
  const [name, rawIp] = [match?.[1], match?.[2]];
  if (name === undefined || rawIp === undefined)
    return complain(`bad format for add-host: ${JSON.stringify(value)}`);
  const ip = rawIp.startsWith('[') && rawIp.endsWith(']') ? rawIp.slice(1, -1) : rawIp;
  if (ip !== 'host-gateway' && !isIpAddress(ip)) {
    return complain(`invalid IP address in add-host: ${JSON.stringify(ip)}`);
  }
  return `${name}:${ip}`;
}

export function validateIp(value: string): string {
  const ip = value.trim();
  return isIpAddress(ip) ? ip : complain(`IP address is not correctly formatted: ${value}`);
}

/** A DNS search domain; `.` alone means none. */
export function validateDnsSearch(value: string): string {
  const domain = value.trim();
  if (domain === '.') return domain;
  const isDomain = /^(:?(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.?)+$/i.test(domain) && /[a-z]/i.test(domain);
  return isDomain && domain.length < 255 ? domain : complain(`${value} is not a valid domain`);
}

const SYSCTLS = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** A namespaced kernel parameter with its value. */
export function validateSysctl(value: string): string {
  const [name = '', ...rest] = value.split('=');
  const known = SYSCTLS.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.');
  return known && rest.length > 0 ? value : complain(`sysctl '${value}' is not allowed`);
}

/** `name:alias`; the alias may be missing. */
export function validateLink(value: string): string {
  if (value === '') return complain('empty string specified for links');
  return value.split(':').length > 2 ? complain(`bad format for links: ${value}`) : value;
}

/** `path:rate` with a byte rate. */
export function validateBpsRate(value: string): string {
  return /^\/dev\/[^:]+:\d+(\.\d+)?\s?[bkmgtp]?i?b?$/i.test(value)
    ? value
    : badRate(
        value,
        '<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb',
      );
}

/** `path:rate` with operations a second. */
export function validateIopsRate(value: string): string {
  return /^\/dev\/[^:]+:\d+$/.test(value)
    ? value
    : badRate(value, '<device-path>:<number>. Number must be a positive integer');
}

function badRate(value: string, format: string): never {
  const [path = '', rate] = value.split(':');
  if (path === '' || rate === undefined) return complain(`bad format: ${value}`);
  if (!path.startsWith('/dev/')) return complain(`bad format for device path: ${value}`);
  return complain(`invalid rate for device: ${value}. The correct format is ${format}`);
}

/** `path:weight`; the weight is 0 or 10 to 1000. */
export function validateWeight(value: string): string {
  const [path = '', weight] = value.split(':');
  if (path === '' || weight === undefined) return complain(`bad format: ${value}`);
  if (!path.startsWith('/dev/')) return complain(`bad format for device path: ${value}`);
  const number = /^\d+$/.test(weight) ? Number(weight) : -1;
  return number === 0 || (number >= 10 && number <= 1000)
    ? value
    : complain(`invalid weight for device: ${value}`);
}

/** `c 1:3 mr`, as cgroups take it. */
export function validateDeviceCgroupRule(value: string): string {
  return /^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(value)
    ? value
    : complain(`invalid device cgroup format '${value}'`);
}
