/** What a container's `/etc/resolv.conf` is made of. */
export interface ResolvConfOptions {
  /** Content of the host's file (see {@link resolvConfSource}). */
  readonly host: string;
  /** `--dns`, `--dns-search`, `--dns-option`: each that is not empty replaces the host's lines of its kind. */
  readonly dns?: readonly string[];
  /** `.` alone means no search list. */
  readonly search?: readonly string[];
  readonly options?: readonly string[];
  /** The container has a network namespace of its own: the host's loopback resolvers are out of its reach. */
  readonly ownNamespace: boolean;
  /** The container has IPv6, so IPv6 resolvers may stay. */
  readonly ipv6: boolean;
}

const SYSTEM_FILE = '/etc/resolv.conf';
const SYSTEMD_FILE = '/run/systemd/resolve/resolv.conf';
const SYSTEMD_STUB = '127.0.0.53';

/** dockerd's fallback when the host names no resolver a container can reach. */
const PUBLIC_RESOLVERS = ['8.8.8.8', '8.8.4.4'];
const PUBLIC_RESOLVERS_V6 = ['2001:4860:4860::8888', '2001:4860:4860::8844'];

/** The file to read: systemd-resolved hides the real resolvers behind its stub, and lists them elsewhere. */
export function resolvConfSource(systemContent: string): string {
  const resolvers = valuesOf(parse(systemContent), 'nameserver');
  return resolvers.length === 1 && resolvers[0] === SYSTEMD_STUB ? SYSTEMD_FILE : SYSTEM_FILE;
}

/** Content of `/etc/resolv.conf` as dockerd makes it. Without anything to change, the host's file as it is. */
export function buildResolvConf(options: ResolvConfOptions): string {
  const { dns = [], search = [], options: resolverOptions = [] } = options;
  const isUntouched = dns.length + search.length + resolverOptions.length === 0;
  if (isUntouched && !options.ownNamespace) return options.host;

  const lines = parse(options.host);
  const own = search.length > 0 ? search : valuesOf(lines, 'search');
  const domains = own.filter((domain) => domain !== '.');
  const resolvers = dns.length > 0 ? dns : reachable(valuesOf(lines, 'nameserver'), options);
  const flags = resolverOptions.length > 0 ? resolverOptions : valuesOf(lines, 'options');
  return [
    ...(domains.length > 0 ? [`search ${domains.join(' ')}`] : []),
    ...resolvers.map((resolver) => `nameserver ${resolver}`),
    ...(flags.length > 0 ? [`options ${flags.join(' ')}`] : []),
    '',
  ].join('\n');
}

function reachable(resolvers: readonly string[], options: ResolvConfOptions): readonly string[] {
  if (!options.ownNamespace) return resolvers;
  const left = resolvers.filter((ip) => !isLoopback(ip) && (options.ipv6 || !ip.includes(':')));
  if (left.length > 0) return left;
  return options.ipv6 ? [...PUBLIC_RESOLVERS, ...PUBLIC_RESOLVERS_V6] : PUBLIC_RESOLVERS;
}

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

interface Line {
  readonly keyword: string;
  readonly values: readonly string[];
}

function parse(content: string): Line[] {
  return content.split('\n').flatMap((line) => {
    const [keyword = '', ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    return keyword ? [{ keyword, values }] : [];
  });
}

// resolv.conf(5): of several `search` lines the last one counts; `domain` is its old one-word form.
function valuesOf(lines: readonly Line[], keyword: string): readonly string[] {
  if (keyword !== 'search')
    return lines.filter((line) => line.keyword === keyword).flatMap(({ values }) => values);
  return lines.findLast((line) => line.keyword === 'search' || line.keyword === 'domain')?.values ?? [];
}
