import { DEFAULT_HOST } from '#api';
import { errnoCode, errorMessage } from '#base';
import type { TlsMaterial } from '#client';
import { type ConfigFile, configDirs } from './config-file.ts';
import type { GlobalOptions } from './context.ts';
import { cliError } from './errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Which engine to talk to, and why. */
export interface ChosenHost {
  readonly url: string;
  /** Name of the context it came from; `default` when none. */
  readonly context: string;
  readonly tls: TlsMaterial | undefined;
}

/**
 * Chooses the engine: `-H`, then `--context`, then GANTRY_HOST, DOCKER_HOST, GANTRY_CONTEXT, DOCKER_CONTEXT, the current
 * context, and at last the socket of the engine on this machine.
 */
export async function chooseHost(
  globals: GlobalOptions,
  env: Env,
  config: () => Promise<ConfigFile>,
): Promise<ChosenHost> {
  if (globals.hosts.length > 1)
    throw cliError('Failed to initialize: unable to resolve gantry endpoint: Specify only one -H');
  if (globals.hosts.length > 0 && globals.context !== '') {
    throw cliError('conflicting options: cannot specify both --host and --context');
  }
  const tls = await loadTls(globals, env);
  const direct =
    globals.hosts[0] ?? (globals.context === '' ? firstSet(env, 'GANTRY_HOST', 'DOCKER_HOST') : undefined);
  if (direct !== undefined) return { url: normalizeHost(direct, tls !== undefined), context: 'default', tls };
  const name =
    globals.context ||
    firstSet(env, 'GANTRY_CONTEXT', 'DOCKER_CONTEXT') ||
    (await config()).currentContext ||
    'default';
  if (name === 'default') return { url: DEFAULT_HOST, context: name, tls };
  return await contextHost(name, globals, env, tls);
}

function firstSet(env: Env, ...names: string[]): string | undefined {
  for (const name of names) if (env[name]) return env[name];
  return undefined;
}

/** `host:port`, `:port` and bare paths get the scheme that docker gives them. */
export function normalizeHost(text: string, usesTls: boolean): string {
  const host = text.trim();
  if (host === '') return DEFAULT_HOST;
  if (host === 'tcp://') return `tcp://localhost:${usesTls ? 2376 : 2375}`;
  if (host === 'unix://') return DEFAULT_HOST;
  return host.includes('://') ? host : `tcp://${host.startsWith(':') ? `localhost${host}` : host}`;
}

async function loadTls(globals: GlobalOptions, env: Env): Promise<TlsMaterial | undefined> {
  const { enabled, verify, caFile, certFile, keyFile } = globals.tls;
  if (!enabled) return undefined;
  const dir =
    env['DOCKER_CERT_PATH'] || (await certificateDir(configDirs({ configDir: globals.configDir, env })));
  // As docker has it: whoever wants the daemon verified names whom to trust; the system's authorities are not asked.
  const authority = caFile || (verify ? `${dir}/ca.pem` : '');
  const [ca, cert, key] = await Promise.all([
    readPem(authority, `${dir}/ca.pem`),
    readPem(certFile, `${dir}/cert.pem`),
    readPem(keyFile, `${dir}/key.pem`),
  ]);
  return checkTls({
    verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  });
}

/** The first directory with a certificate in it; else the first. */
async function certificateDir(dirs: readonly string[]): Promise<string> {
  for (const dir of dirs) {
    const files = ['ca', 'cert', 'key'].map((name) => Bun.file(`${dir}/${name}.pem`).exists());
    if ((await Promise.all(files)).includes(true)) return dir;
  }
  return dirs[0] ?? '';
}

/** @throws docker CLI's errors for material that no connection can be made with. */
async function checkTls(material: TlsMaterial): Promise<TlsMaterial> {
  const { ca, cert, key } = material;
  const failed = (why: string) =>
    cliError(`Failed to initialize: failed to retrieve context tls info: ${why}`);
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) throw failed('ca.pem seems invalid');
  if (cert === undefined || key === undefined) return material;
  const { createPrivateKey, X509Certificate } = await import('node:crypto');
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return material;
  } catch (error) {
    throw failed(`tls: ${errorMessage(error)}`);
  }
  throw failed('tls: private key does not match public key');
}

/** A named file must be there; a default one may be missing. */
async function readPem(named: string, fallback: string): Promise<string | undefined> {
  const path = named || fallback;
  try {
    return await Bun.file(path).text();
  } catch (error) {
    const missing = errnoCode(error) === 'ENOENT';
    if (missing && named === '') return undefined;
    const why = missing ? 'no such file or directory' : errorMessage(error);
    throw cliError(`Failed to initialize: unable to resolve gantry endpoint: open ${path}: ${why}`);
  }
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

async function contextHost(
  name: string,
  globals: GlobalOptions,
  env: Env,
  tls: TlsMaterial | undefined,
): Promise<ChosenHost> {
  const id = new Bun.CryptoHasher('sha256').update(name).digest('hex');
  for (const dir of configDirs({ configDir: globals.configDir, env })) {
    const file = Bun.file(`${dir}/contexts/meta/${id}/meta.json`);
    if (!(await file.exists())) continue;
    const meta = (await file.json()) as ContextMeta;
    const endpoint = meta.Endpoints?.docker;
    const material = tls ?? (await contextTls(`${dir}/contexts/tls/${id}/docker`, !endpoint?.SkipTLSVerify));
    return { url: normalizeHost(endpoint?.Host ?? '', material !== undefined), context: name, tls: material };
  }
  const wanted = `${configDirs({ configDir: globals.configDir, env }).at(-1)}/contexts/meta/${id}/meta.json`;
  throw cliError(
    `Failed to initialize: unable to resolve gantry endpoint: context ${JSON.stringify(name)}: context not found: open ${wanted}: no such file or directory`,
  );
}

async function contextTls(dir: string, verify: boolean): Promise<TlsMaterial | undefined> {
  const read = async (name: string) => {
    const file = Bun.file(`${dir}/${name}.pem`);
    return (await file.exists()) ? await file.text() : undefined;
  };
  const [ca, cert, key] = await Promise.all([read('ca'), read('cert'), read('key')]);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  return {
    verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
