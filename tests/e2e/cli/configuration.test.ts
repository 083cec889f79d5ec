import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import {
  allClients,
  type Client,
  gantryClient,
  type Result,
  type RunOptions,
  run,
} from '../../harness/programs.ts';
import { openTerminal } from '../../harness/terminal.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-config-'));
const container = uniqueName('configured');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A directory with a `config.json`, and a context named `other` that leads to the engine of this file. */
function configured(config: object): string {
  const dir = mkdtempSync(join(directory, 'config-'));
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
  const id = new Bun.CryptoHasher('sha256').update('other').digest('hex');
  mkdirSync(join(dir, 'contexts/meta', id), { recursive: true });
  const meta = {
    Name: 'other',
    Metadata: {},
    Endpoints: { docker: { Host: engine.host, SkipTLSVerify: false } },
  };
  writeFileSync(join(dir, 'contexts/meta', id, 'meta.json'), JSON.stringify(meta));
  return dir;
}

/** Without an endpoint in the environment: what is asked for has to come from somewhere else. */
const bare = (client: Client, args: readonly string[], env: Record<string, string> = {}): Promise<Result> =>
  run(client, args, { host: '', env } satisfies RunOptions);

beforeAll(async () => {
  await engine.must(gantryClient, ['run', '-d', '--name', container, 'busybox', 'sleep', '100000']);
}, 60_000);

describe.each(allClients())('$name configuration', (client) => {
  const name = ['ps', '--format', '{{.Names}}'];

  test('which engine: -H, DOCKER_HOST, --context, DOCKER_CONTEXT, currentContext', async () => {
    const dir = configured({});
    const current = configured({ currentContext: 'other' });
    const ways: readonly (readonly [readonly string[], Record<string, string>])[] = [
      [['-H', engine.host], {}],
      [['--host', engine.host], {}],
      [[], { DOCKER_HOST: engine.host }],
      [['--config', dir, '--context', 'other'], {}],
      [['--config', dir, '-c', 'other'], {}],
      [[], { DOCKER_CONFIG: dir, DOCKER_CONTEXT: 'other' }],
      [[], { DOCKER_CONFIG: current }],
      [['--config', current], {}],
    ];
    for (const [flags, env] of ways) {
      const answer = await bare(client, [...flags, ...name], env);
      expect({ flags, env, ...answer }).toMatchObject({ code: 0, stdout: `${container}\n` });
    }
  });

  test('formats of the configuration: psFormat, imagesFormat, statsFormat; a flag wins', async () => {
    const DOCKER_CONFIG = configured({
      psFormat: 'ps {{.Names}}',
      imagesFormat: 'image {{.Repository}}',
      statsFormat: 'stats {{.Name}}',
    });
    const answer = async (...args: string[]) =>
      (await engine.run(client, args, { env: { DOCKER_CONFIG } })).stdout.trimEnd();
    expect(await answer('ps')).toBe(`ps ${container}`);
    expect(await answer(...name)).toBe(container);
    expect(await answer('ps', '-q')).toMatch(/^[0-9a-f]{12}$/);
    expect(await answer('images')).toBe('image busybox');
    expect(await answer('stats', '--no-stream', container)).toBe(`stats ${container}`);
  });

  test('detachKeys of the configuration', async () => {
    const own = uniqueName('keys');
    const flags = ['--config', configured({ detachKeys: 'ctrl-x' })];
    using session = openTerminal(
      client,
      [...flags, 'run', '-it', '--name', own, 'busybox', 'sh'],
      engine.host,
    );
    await session.sees('# ');
    session.type('\x18');
    expect(await session.exited).toBe(0);
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', own])).toBe('true');
    await engine.must(client, ['rm', '-f', own]);
  });

  test('DOCKER_API_VERSION fixes the version that is spoken', async () => {
    const version = ['version', '-f', '{{.Client.APIVersion}}'];
    expect(await engine.must(client, version, { env: { DOCKER_API_VERSION: '1.40' } })).toBe('1.40');
    const [old] = JSON.parse(
      await engine.must(client, ['inspect', container], { env: { DOCKER_API_VERSION: '1.40' } }),
    ) as [Record<string, unknown>];
    expect(old).toHaveProperty('Name', `/${container}`);
  });

  test('HttpHeaders go with every request', async () => {
    const socket = join(directory, `${uniqueName('sock')}.sock`);
    let seen = '';
    const server: Server = createServer((connection) => {
      connection.on('data', (data) => {
        seen += data.toString();
        connection.end(
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.40\r\nConnection: close\r\n\r\n[]',
        );
      });
      connection.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const flags = ['--config', configured({ HttpHeaders: { 'X-Meta': 'from the configuration' } })];
    await bare(client, ['-H', `unix://${socket}`, ...flags, 'ps']);
    server.close();
    expect(seen).toMatch(/x-meta: from the configuration/i);
  });

  test('a file that is no configuration is said to be none', async () => {
    const dir = mkdtempSync(join(directory, 'broken-'));
    writeFileSync(join(dir, 'config.json'), '{');
    const { stderr } = await engine.run(client, ['--config', dir, 'ps']);
    expect(stderr).toMatch(/config file|config\.json/);
  });
});
