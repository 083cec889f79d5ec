import type { Normalize } from './conversation.ts';

/** Facts of a machine or a run, by the name of their field. */
const RUN_FACTS = [
  'Pid',
  'Created',
  'time',
  'timeNano',
  'EndpointID',
  'NetworkID',
  'SandboxID',
  'SandboxKey',
  'IPAddress',
  'MacAddress',
  'Gateway',
  'IPPrefixLen',
  'ResolvConfPath',
  'HostnamePath',
  'HostsPath',
  'LogPath',
  'LowerDir',
  'MergedDir',
  'UpperDir',
  'WorkDir',
  'SizeRootFs',
  'SizeRw',
  'SpaceReclaimed',
  'Mountpoint',
  'Size',
  'LayersSize',
  // What the machine has, or the daemon prefers.
  'Runtime',
  'CgroupnsMode',
];
const RUN_FACT = new RegExp(`"(${RUN_FACTS.join('|')})":("(?:[^"\\\\]|\\\\.)*"|-?\\d+)`, 'g');

/** Names of what was kept for its values, and one word for each kind of thing that differs from run to run. */
export const normalize: Normalize = (text, kept) => {
  let result = text;
  for (const [name, value] of kept) {
    if (value.length < 12) continue;
    result = result.replaceAll(value, `<${name}>`).replaceAll(value.slice(0, 12), `<short ${name}>`);
  }
  return (
    result
      .replace(/\b[0-9a-f]{64}\b/g, '<id>')
      .replace(/\b(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
      .replace(RUN_FACT, (_, key, value) => `"${key}":${zeroOr(value)}`)
      .replace(/"(time|timeNano)":"<fact>"/g, '"$1":0')
      .replace(
        /(Up|Exited \(\d+\)) (Less than a second|\d+ seconds?|About a minute|\d+ minutes)( ago)?/g,
        '$1 <while>$3',
      )
      .replace(/\/[\w/-]*gantry-(reference|test)-\w+\/\w+/g, '<root>')
      .replace(/"MaskedPaths":\[[^\]]*\]/g, '"MaskedPaths":["<paths>"]')
      .replace(/there are only \d+ CPUs/g, 'there are only <some> CPUs')
      .replace(/from 0\.01 to \d+\.00/g, 'from 0.01 to <all>.00')
      .replace(/(not available - requested \S+,) available: [^"]*"/g, '$1 available: <some>"')
      .replace(/"execDuration":"\d+"/g, '"execDuration":"<while>"')
      // Made from a map, in any order.
      .replace('network endpoints: b, a', 'network endpoints: a, b')
      // Whether anything was read from a disk depends on what was in memory.
      .replace(/"(io_\w+_recursive)":\[[^\]]*\]/g, '"$1":[]')
      // Our own addition to errors.
      .replace(/,"code":"[a-z_]+"\}/g, '}')
  );
};

/** Empty and zero are facts of the API, not of the run. */
const zeroOr = (value: string): string => (value === '""' || value === '0' ? value : '"<fact>"');
