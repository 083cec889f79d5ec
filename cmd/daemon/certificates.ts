import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errnoCode, errorMessage, invalidArgument, type Logger } from '#base';
import { TlsIdentity, type TlsMaterial } from '#server';
import type { TlsSettings } from './config/tls.ts';

/** The daemon's certificates, where it uses TLS. @throws as {@link readCertificates}. */
export const openIdentity = (tls: TlsSettings | undefined): TlsIdentity | undefined =>
  tls && new TlsIdentity(readCertificates(tls));

/** Reads the files again, for new connections. Files that cannot be used change nothing. */
export function renewIdentity(
  identity: TlsIdentity | undefined,
  tls: TlsSettings | undefined,
  logger: Logger,
): void {
  if (!identity || !tls) return;
  try {
    identity.replace(readCertificates(tls));
    logger.info('certificates reloaded');
  } catch (error) {
    logger.error('certificates not reloaded', { error: errorMessage(error) });
  }
}

/**
 * Reads the daemon's certificates and checks that they belong together.
 * @throws `invalid_argument` with dockerd's texts.
 */
export function readCertificates({ verify, caFile, certFile, keyFile }: TlsSettings): TlsMaterial {
  const files = `(cert: ${JSON.stringify(certFile)}, key: ${JSON.stringify(keyFile)})`;
  const [cert, key] = [certFile, keyFile].map((path) =>
    readText(path, (reason) => `could not load X509 key pair ${files}: ${reason}`),
  ) as [string, string];
  checkPair(
    cert,
    key,
    (reason) => `error reading X509 key pair - make sure the key is not encrypted ${files}: ${reason}`,
  );
  return { cert, key, clientCa: verify ? readAuthorities(caFile) : undefined };
}

type Explain = (reason: string) => string;

const invalid = (text: string) => invalidArgument(`invalid TLS configuration: ${text}`);

function readText(path: string, explain: Explain): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(explain(openError(path, error)));
  }
}

/** As Go words what every program says of a file it cannot open. */
function openError(path: string, error: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
  };
  const code = errnoCode(error);
  return `${code === 'EISDIR' ? 'read' : 'open'} ${path}: ${reasons[code ?? ''] ?? errorMessage(error)}`;
}

function checkPair(cert: string, key: string, explain: Explain): void {
  const certificate = parse(
    () => new X509Certificate(cert),
    'tls: failed to find any PEM data in certificate input',
  );
  const privateKey = parse(() => createPrivateKey(key), 'tls: failed to parse private key');
  if (typeof certificate === 'string') throw invalid(explain(certificate));
  if (typeof privateKey === 'string') throw invalid(explain(privateKey));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw invalid(explain('tls: private key does not match public key'));
  }
}

function parse<T>(read: () => T, failure: string): T | string {
  try {
    return read();
  } catch {
    return failure;
  }
}

function readAuthorities(caFile: string): string {
  const shown = JSON.stringify(caFile);
  const pem = readText(caFile, (reason) => `could not read CA certificate ${shown}: ${reason}`);
  const blocks = pem.match(CERTIFICATE) ?? [];
  const readable = blocks.filter((block) => typeof parse(() => new X509Certificate(block), '') !== 'string');
  if (readable.length === 0) throw invalid(`failed to append certificates from PEM file: ${shown}`);
  return readable.join('\n');
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
