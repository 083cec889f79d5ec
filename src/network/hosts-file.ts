/** One address and its names. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** What a container's `/etc/hosts` is made of. */
export interface HostsOptions {
  /** Names and addresses of the container itself, one line for each address. */
  readonly hostname: string;
  readonly domainname?: string;
  readonly addresses: readonly string[];
  /** `--add-host`: `name:address` or `name=address`, in order. */
  readonly extraHosts?: readonly string[];
  /** Containers it is linked to, each with its names. */
  readonly links?: readonly HostsEntry[];
  /** What `host-gateway` stands for in `extraHosts`. */
  readonly hostGateway?: string;
}

const STANDARD_LINES = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** Content of `/etc/hosts`, in dockerd's order: standard lines, extra hosts, links, the container itself. */
export function buildHosts(options: HostsOptions): string {
  const names = ownNames(options);
  const lines = [
    ...STANDARD_LINES,
    ...extraHostLines(options.extraHosts ?? [], options.hostGateway),
    ...(options.links ?? []).map(({ address, names: aliases }) => `${address}\t${aliases.join(' ')}`),
    ...options.addresses.map((address) => `${address}\t${names}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The full name first, then its first part alone: `x.y.z` is called `x` as well. */
function ownNames({ hostname, domainname }: HostsOptions): string {
  const full = domainname ? `${hostname}.${domainname}` : hostname;
  const [short = ''] = hostname.split('.', 1);
  return full === short ? full : `${full} ${short}`;
}

/** Lines for `--add-host`; also appended to the host's own file under host networking. */
export function extraHostLines(extraHosts: readonly string[], hostGateway: string | undefined): string[] {
  return extraHosts.flatMap((entry) => {
    // An IPv6 address has colons itself, so only the first separator counts.
    const match = /^([^:=]+)[:=](.+)$/.exec(entry);
    if (!match?.[1] || !match[2]) return [];
    const address = match[2] === 'host-gateway' ? hostGateway : match[2].replace(/^\[(.*)\]$/, '$1');
    return address ? [`${address}\t${match[1]}`] : [];
  });
}
