import { invalidArgument } from '#base';

const PROTOCOLS = ['tcp', 'udp', 'sctp'];
const MAX_PORT = 65_535;

/**
 * `80`, `80/udp`, `8000-8005/tcp` as the keys of ExposedPorts (`80/tcp`). A host part, as `-p` takes it, is
 * dropped: EXPOSE publishes nothing.
 * @throws `invalid_argument` with docker's texts.
 */
export function parseExposedPorts(spec: string): string[] {
  const [ports = '', protocol = 'tcp', ...more] = spec.split('/');
  const name = protocol === '' ? 'tcp' : protocol.toLowerCase();
  if (more.length > 0 || !PROTOCOLS.includes(name)) throw invalidArgument(`invalid proto: ${protocol}`);
  const container = ports.slice(ports.lastIndexOf(':') + 1);
  if (container === '') throw invalidArgument('no port specified: <empty>');
  const match = /^(\d+)(?:-(\d+))?$/.exec(container);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last > MAX_PORT || first > last) throw invalidArgument(`invalid containerPort: ${container}`);
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${name}`);
}
