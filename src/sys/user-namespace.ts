import { constants, openSync, readlinkSync, writeFileSync } from 'node:fs';
import { O_CLOEXEC } from './constants.ts';
import { SysError } from './errors.ts';
import type { Fd, IdMappings, IdRange, UserNamespace } from './types.ts';

const OWN_USER = '/proc/self/ns/user';
const DEADLINE_MS = 5000;
const POLL_MS = 0.2;

/**
 * A process with several threads cannot unshare its user namespace, so a helper process does: it lives until disposal,
 * or until this process dies, whose end of its input closes then.
 */
export function createUserNamespace(
  mappings: IdMappings,
  options: { readonly network?: boolean } = {},
): UserNamespace {
  const flags = ['--user', ...(options.network === true ? ['--net'] : [])];
  const helper = Bun.spawn(['unshare', ...flags, 'cat'], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  helper.unref();
  const directory = `/proc/${helper.pid}`;
  const end = (): void => helper.kill('SIGKILL');
  try {
    awaitNamespace(`${directory}/ns/user`);
    writeFileSync(`${directory}/uid_map`, formatMap(mappings.uids));
    writeFileSync(`${directory}/gid_map`, formatMap(mappings.gids));
  } catch (error) {
    end();
    throw error;
  }
  return {
    userPath: `${directory}/ns/user`,
    networkPath: options.network === true ? `${directory}/ns/net` : undefined,
    [Symbol.dispose]: end,
  };
}

/** One write is the whole map (user_namespaces(7)). */
const formatMap = (ranges: readonly IdRange[]): string =>
  ranges.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');

/** The helper's exec into `unshare` and the unshare take about a millisecond together. */
function awaitNamespace(path: string): void {
  const own = readlinkSync(OWN_USER);
  const deadline = performance.now() + DEADLINE_MS;
  // Fails when the helper has ended: the kernel refused.
  while (readlinkSync(path) === own) {
    if (performance.now() > deadline) throw new SysError('ETIMEDOUT', 'unshare', 'user namespace');
    Bun.sleepSync(POLL_MS);
  }
}

/** Descriptors of user namespaces for idmapped mounts, one for each mapping; they stay open. */
export class MappingDescriptors {
  readonly #open = new Map<string, Fd>();

  of(mappings: IdMappings): Fd {
    const key = JSON.stringify([mappings.uids, mappings.gids]);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    using namespace = createUserNamespace(mappings);
    const fd = openSync(namespace.userPath, constants.O_RDONLY | O_CLOEXEC);
    this.#open.set(key, fd);
    return fd;
  }
}
