import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dir, '../..');
/** The executable under test; `GANTRY_TEST_BINARY` names another one. */
export const GANTRY = process.env['GANTRY_TEST_BINARY'] ?? join(REPOSITORY, 'dist/gantry');

/** A client program under test. The same scenarios run with each. */
export interface Client {
  readonly name: string;
  readonly path: string;
}

/** Every docker CLI of this machine (Debian's and a newer one, where present), by version. */
export function dockerClients(): Client[] {
  const paths = ['/usr/bin/docker', '/usr/local/bin/docker'].filter((path) => existsSync(path));
  const clients = paths.map((path) => {
    const version = Bun.spawnSync([path, '--version']).stdout.toString();
    return { name: `docker ${/version ([\d.]+)/.exec(version)?.[1] ?? 'of unknown version'}`, path };
  });
  return clients.filter((client, index) => clients.findIndex(({ name }) => name === client.name) === index);
}

export const gantryClient: Client = { name: 'gantry', path: GANTRY };

/** Every client that scenarios run with: ours (unless it was not built) and the official ones. */
export const allClients = (): Client[] => [...(existsSync(GANTRY) ? [gantryClient] : []), ...dockerClients()];

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly host: string;
  readonly stdin?: string | Uint8Array | Blob;
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory; default: that of the tests. */
  readonly cwd?: string;
}

/** The environment of a client: its endpoint, and no configuration of the person who runs the tests. */
export function clientEnvironment(options: Pick<RunOptions, 'host' | 'env'>): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: '/nonexistent',
    // An empty variable is not the same as none to every client.
    ...(options.host !== '' && { DOCKER_HOST: options.host, GANTRY_HOST: options.host }),
    ...options.env,
  };
}

/** Runs a client to its end and returns what it printed. */
export async function run(client: Client, args: readonly string[], options: RunOptions): Promise<Result> {
  const child = Bun.spawn([client.path, ...args], {
    env: clientEnvironment(options),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdin: options.stdin === undefined ? 'ignore' : new Blob([options.stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** {@link run}, but a failure throws with everything it said. Returns standard output without its last newline. */
export async function must(client: Client, args: readonly string[], options: RunOptions): Promise<string> {
  const result = await run(client, args, options);
  if (result.code === 0) return result.stdout.replace(/\n$/, '');
  throw new Error(
    `${client.name} ${args.join(' ')}: exit code ${result.code}\n${result.stdout}${result.stderr}`,
  );
}
