import { type PortSpec, parsePortSpec, portMaps, tryParsePortRange } from '#api';
import { cliError } from '../../core/errors.ts';

type Exposed = Record<string, Record<string, never>>;
type Bindings = Record<string, { HostIp: string; HostPort: string }[]>;

/** The port maps of a create request from `-p` and `--expose`. */
export function toPortMaps(
  publish: readonly string[],
  expose: readonly string[],
): { exposed: Exposed; bindings: Bindings } {
  const { exposed, bindings } = portMaps(publish.flatMap(parsePublish));
  for (const text of expose) Object.assign(exposed, exposeRange(text));
  return { exposed, bindings };
}

/** The short notation, or the long one: `target=80,published=8080,protocol=tcp,mode=host`. */
function parsePublish(text: string): PortSpec[] {
  if (!text.includes('=')) return parsePortSpec(text);
  const fields = new Map(
    text.split(',').map((field) => {
      const equals = field.indexOf('=');
      if (equals < 0) throw cliError(`invalid field: ${field}`);
      return [field.slice(0, equals), field.slice(equals + 1)] as const;
    }),
  );
  for (const key of fields.keys()) {
    if (!['protocol', 'mode', 'target', 'published'].includes(key))
      throw cliError(`invalid field key ${key}`);
  }
  const target = fields.get('target') ?? '';
  if (target === '') throw cliError('missing mandatory field "target"');
  const published = fields.get('published');
  return parsePortSpec(`${published ? `${published}:` : ''}${target}/${fields.get('protocol') ?? 'tcp'}`);
}

/** Why a text is no port and no range of ports. */
function badRange(ports: string): string {
  if (ports === '') return 'empty string specified for ports';
  for (const part of ports.split('-', 2)) {
    const shown = `strconv.ParseUint: parsing ${JSON.stringify(part)}`;
    if (!/^\d+$/.test(part)) return `${shown}: invalid syntax`;
    if (Number(part) > 65535) return `${shown}: value out of range`;
  }
  return `invalid range specified for port: ${ports}`;
}

function exposeRange(text: string): Exposed {
  if (text.includes(':')) throw cliError(`invalid port format for --expose: ${text}`);
  const [ports = '', protocol = 'tcp'] = text.split('/');
  const range = tryParsePortRange(ports);
  if (!range) throw cliError(`invalid range format for --expose: ${text}, error: ${badRange(ports)}`);
  const exposed: Exposed = {};
  for (let port = range.first; port <= range.last; port += 1)
    exposed[`${port}/${protocol.toLowerCase()}`] = {};
  return exposed;
}
