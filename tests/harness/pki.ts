import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A certificate and its key, as files. */
export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  /** As openssl has it. Default: this machine's loopback names. */
  readonly san?: string;
  readonly usage?: 'serverAuth' | 'clientAuth';
  /** It has expired years ago. */
  readonly expired?: boolean;
}

/** A certificate authority of a test. */
export interface Authority {
  /** File with its certificate. */
  readonly ca: string;
  issue(name: string, options?: LeafOptions): Leaf;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes an authority in `directory`, which is made. */
export function createAuthority(directory: string): Authority {
  mkdirSync(directory, { recursive: true });
  const file = (name: string): string => join(directory, name);
  openssl(
    'req',
    '-x509',
    ...KEY,
    '-keyout',
    file('ca-key.pem'),
    '-out',
    file('ca.pem'),
    '-days',
    '2',
    '-subj',
    `/CN=${basename(directory)}`,
  );
  writeFileSync(file('index'), '');
  writeFileSync(file('serial'), '1000\n');
  writeFileSync(
    file('ca.cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${file('index')}\nserial=${file('serial')}\nnew_certs_dir=${directory}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`,
  );
  return {
    ca: file('ca.pem'),
    issue: (name, { san = 'DNS:localhost,IP:127.0.0.1', usage = 'serverAuth', expired = false } = {}) => {
      const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) =>
        file(`${name}.${end}`),
      ) as [string, string, string, string];
      openssl('req', ...KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
      writeFileSync(extensions, `subjectAltName=${san}\nextendedKeyUsage=${usage}\n`);
      const life = expired
        ? ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z']
        : ['-days', '2'];
      openssl(
        'ca',
        '-batch',
        '-config',
        file('ca.cnf'),
        '-cert',
        file('ca.pem'),
        '-keyfile',
        file('ca-key.pem'),
        '-in',
        request,
        '-out',
        cert,
        '-extfile',
        extensions,
        '-notext',
        ...life,
      );
      return { cert, key };
    },
  };
}

function openssl(...args: readonly string[]): void {
  const ended = Bun.spawnSync(['openssl', ...args], { stdout: 'ignore' });
  if (ended.exitCode !== 0) throw new Error(`openssl ${args.join(' ')}: ${ended.stderr.toString()}`);
}
