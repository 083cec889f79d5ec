import type { ContainerCreateRequest } from '#api';
import { writeTar } from '#base';
import type { EngineClient } from '#client';
import type { CliContext } from '../../core/context.ts';
import { chooseHost } from '../../core/engine-host.ts';

const SOCKET = '/var/run/docker.sock';
const CONFIG_DIRECTORY = '/run/secrets/docker';

/** What `--use-api-socket` adds: the request with the socket in it, and what is left to do once the container exists. */
export interface WithApiSocket {
  readonly request: ContainerCreateRequest;
  /** Puts the user's registry logins into the container. */
  finish(client: EngineClient, id: string): Promise<void>;
}

/**
 * Mounts the engine's socket where clients look for it. Where the user is logged in to registries, the container gets the
 * logins too, as a `config.json` of its own, unless DOCKER_CONFIG says that it has one.
 */
export async function withApiSocket(
  ctx: CliContext,
  request: ContainerCreateRequest,
): Promise<WithApiSocket> {
  const { url } = await chooseHost(ctx.globals, ctx.env, () => ctx.config());
  const source = url.startsWith('unix://') ? url.slice('unix://'.length) : SOCKET;
  const mount = { Type: 'bind', Source: source, Target: SOCKET, BindOptions: {} } as const;
  const { HostConfig, Env } = request;
  const Mounts = [...(HostConfig?.Mounts ?? []), mount];
  const mounted = { ...request, HostConfig: { ...HostConfig, Mounts } };
  const auths = (await ctx.config()).auths ?? {};
  const hasOwn = (Env ?? []).some((variable) => variable.startsWith('DOCKER_CONFIG='));
  if (hasOwn || Object.keys(auths).length === 0) return { request: mounted, finish: async () => {} };
  return {
    request: { ...mounted, Env: [...(Env ?? []), `DOCKER_CONFIG=${CONFIG_DIRECTORY}`] },
    finish: (client, id) => copyLogins(client, id, `${JSON.stringify({ auths }, null, '\t')}\n`),
  };
}

async function copyLogins(client: EngineClient, id: string, config: string): Promise<void> {
  const body = new TextEncoder().encode(config);
  const parents = CONFIG_DIRECTORY.slice(1)
    .split('/')
    .map((_part, at, parts) => `${parts.slice(0, at + 1).join('/')}/`);
  async function* members() {
    const common = { uid: 0, gid: 0, mtimeNs: 0n };
    for (const path of parents)
      yield { header: { ...common, type: 'directory', path, mode: 0o755 } } as const;
    const path = `${CONFIG_DIRECTORY.slice(1)}/config.json`;
    yield {
      header: { ...common, type: 'file', path, mode: 0o600, size: body.length },
      body: [body],
    } as const;
  }
  await client.containers.writeArchive(id, '/', writeTar(members()), { copyUidGid: false });
}
