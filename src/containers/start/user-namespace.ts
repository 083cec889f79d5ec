import { isDeepStrictEqual } from 'node:util';
import type { Engine } from '../engine.ts';
import type { Container } from '../model.ts';
import { isAlive } from '../state.ts';

const PREFIX = 'container:';

/** The user namespace of a container that is about to start. Valid until disposal. */
export interface JoinedUserNamespace extends Disposable {
  /** To be joined by the container; undefined: the host's. */
  readonly userPath: string | undefined;
  /** An empty network namespace that belongs to it; undefined: any will do. */
  readonly netnsFrom: string | undefined;
}

const HOST: JoinedUserNamespace = { userPath: undefined, netnsFrom: undefined, [Symbol.dispose]: () => {} };

/**
 * Makes the user namespace of a container, or takes the one of the container whose namespaces it shares: they belong to
 * that one's, and from another it would have no power over them.
 */
export function openUserNamespace(engine: Engine, container: Container): JoinedUserNamespace {
  const { idMappings, hostConfig } = container;
  if (!idMappings) return HOST;
  const donor = [hostConfig.networkMode, hostConfig.ipcMode, hostConfig.pidMode]
    .filter((mode) => mode.startsWith(PREFIX))
    // One that is missing is told where it is joined.
    .map((mode) => engine.registry.find(mode.slice(PREFIX.length)))
    .find((other) => other && isDeepStrictEqual(other.idMappings, idMappings));
  if (donor && donor.id !== container.id && isAlive(donor.state)) {
    return { ...HOST, userPath: `/proc/${donor.state.pid}/ns/user` };
  }
  const network = !hostConfig.networkMode.startsWith(PREFIX);
  const made = engine.sys.namespaces.createUser(idMappings, { network });
  return {
    userPath: made.userPath,
    netnsFrom: made.networkPath,
    [Symbol.dispose]: () => made[Symbol.dispose](),
  };
}
