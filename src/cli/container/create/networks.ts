import type { EndpointSettingsRequest } from '#api';
import { cliError } from '../../core/errors.ts';
import { parseCsv } from '../../flags/csv.ts';
import type { CreateFlags } from './flags.ts';

interface Attachment {
  target: string;
  aliases: string[];
  driverOpts: Record<string, string>;
  links: readonly string[];
  linkLocalIps: readonly string[];
  ipv4: string;
  ipv6: string;
  mac: string;
  gwPriority: number;
}

const emptyAttachment = (target: string): Attachment => ({
  target,
  aliases: [],
  driverOpts: {},
  links: [],
  linkLocalIps: [],
  ipv4: '',
  ipv6: '',
  mac: '',
  gwPriority: 0,
});

/**
 * Parses one `--network` value: a name, or CSV of `name=`, `alias=`, `driver-opt=`, `ip=`, `ip6=`, `mac-address=`,
 * `link-local-ip=`, `gw-priority=`.
 * @throws docker's texts, to be completed by the flag's name.
 */
export function parseNetwork(text: string): Attachment {
  const isLong = /\w+=\w+(,\w+=\w+)*/.test(text);
  if (!isLong) return emptyAttachment(text);
  const attachment = emptyAttachment('');
  for (const field of parseCsv(text)) {
    const equals = field.indexOf('=');
    if (equals < 0) throw new Error(`invalid field ${field}`);
    setField(attachment, field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim());
  }
  if (attachment.target === '') throw new Error('network name/id is not specified');
  return attachment;
}

function setField(attachment: Attachment, key: string, value: string): void {
  if (key === 'name') attachment.target = value;
  else if (key === 'alias') attachment.aliases.push(value);
  else if (key === 'ip') attachment.ipv4 = value;
  else if (key === 'ip6') attachment.ipv6 = value;
  else if (key === 'mac-address') attachment.mac = checkMac(value);
  else if (key === 'link-local-ip') attachment.linkLocalIps = [...attachment.linkLocalIps, value];
  else if (key === 'driver-opt') {
    const equals = value.indexOf('=');
    if (equals < 0) throw new Error('invalid key value pair format in driver options');
    attachment.driverOpts[value.slice(0, equals).trim().toLowerCase()] = value.slice(equals + 1).trim();
  } else if (key === 'gw-priority') {
    if (!/^[+-]?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): must be an integer`);
    attachment.gwPriority = Number(value);
  } else throw new Error(`invalid field key ${key}`);
}

export function validateNetwork(text: string): string {
  parseNetwork(text);
  return text;
}

function checkMac(text: string): string {
  const hex = text.replaceAll(/[:.-]/g, '');
  if (/^([0-9a-f]{12}|[0-9a-f]{16})$/i.test(hex) && /[:.-]/.test(text)) return text;
  throw cliError(`${text} is not a valid mac address`);
}

const isUserDefined = (name: string): boolean =>
  !['', 'default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:');

/** What `--network` and its companions make of the create request. */
export interface NetworkPart {
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointSettingsRequest>>;
}

/** @throws docker's texts for options that contradict each other. */
export function toNetworkPart(flags: CreateFlags): NetworkPart {
  const given = [...flags.network, ...flags.net].map(parseNetwork);
  const attachments = given.length === 0 ? [emptyAttachment('default')] : given;
  const mac = flags['mac-address'] === '' ? '' : checkMac(flags['mac-address']);
  const [first] = attachments;
  if (first) applyFlags(first, flags, mac);
  const endpoints: Record<string, EndpointSettingsRequest> = {};
  for (const attachment of attachments) {
    const { target } = attachment;
    if (target.trim() === '') throw cliError('no name set for network');
    if (Object.hasOwn(endpoints, target))
      throw cliError(`network ${JSON.stringify(target)} is specified multiple times`);
    if (attachment.aliases.length > 0 && !isUserDefined(target)) {
      throw cliError('network-scoped aliases are only supported for user-defined networks');
    }
    if (!target.startsWith('container:')) endpoints[target] = toEndpoint(attachment);
  }
  if (new Set(attachments.map(({ target }) => isUserDefined(target))).size > 1)
    throw cliError('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  return { mode: first?.target ?? 'default', endpoints };
}

function applyFlags(attachment: Attachment, flags: CreateFlags, mac: string): void {
  const aliases = [...flags['network-alias'], ...flags['net-alias']];
  refuseBoth(attachment.aliases.length > 0 && aliases.length > 0, '--network-alias', 'per-network alias');
  refuseBoth(attachment.ipv4 !== '' && flags.ip !== '', '--ip', 'per-network IPv4 address');
  refuseBoth(attachment.ipv6 !== '' && flags.ip6 !== '', '--ip6', 'per-network IPv6 address');
  refuseBoth(attachment.mac !== '' && mac !== '', '--mac-address', 'per-network MAC address');
  if (aliases.length > 0) attachment.aliases = aliases;
  if (flags.link.length > 0 && isUserDefined(attachment.target)) attachment.links = flags.link;
  if (flags.ip !== '') attachment.ipv4 = flags.ip;
  if (flags.ip6 !== '') attachment.ipv6 = flags.ip6;
  if (mac !== '') attachment.mac = mac;
  if (flags['link-local-ip'].length > 0) attachment.linkLocalIps = flags['link-local-ip'];
}

function refuseBoth(both: boolean, flag: string, other: string): void {
  if (both) throw cliError(`conflicting options: cannot specify both ${flag} and ${other}`);
}

function toEndpoint({
  aliases,
  links,
  driverOpts,
  ipv4,
  ipv6,
  linkLocalIps,
  mac,
  gwPriority,
}: Attachment): EndpointSettingsRequest {
  const ipam = {
    ...(ipv4 !== '' && { IPv4Address: ipv4 }),
    ...(ipv6 !== '' && { IPv6Address: ipv6 }),
    ...(linkLocalIps.length > 0 && { LinkLocalIPs: linkLocalIps }),
  };
  return {
    IPAMConfig: Object.keys(ipam).length > 0 ? ipam : null,
    Links: links.length > 0 ? links : null,
    Aliases: aliases.length > 0 ? aliases : null,
    MacAddress: mac,
    DriverOpts: Object.keys(driverOpts).length > 0 ? driverOpts : null,
    GwPriority: gwPriority,
  };
}
