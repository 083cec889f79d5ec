import { errorMessage, internal, invalidArgument } from '#base';
import type { SpecInput } from '#runtime';
import type { Container } from '../model.ts';
import { isAlive } from '../state.ts';

type SpecNamespace = SpecInput['namespaces'][number];

export interface NamespaceContext {
  /** Pinned network namespace; undefined is the host's. */
  readonly netnsPath: string | undefined;
  /** Undefined is the host's user namespace. */
  readonly userPath?: string | undefined;
  readonly resolve: (ref: string) => Container;
}

/** Namespaces to make or join, and what goes to /dev/shm. @throws docker's texts for containers that cannot be joined. */
export function specNamespaces(
  container: Container,
  context: NamespaceContext,
): { readonly namespaces: SpecNamespace[]; readonly ipcDonor: Container | undefined } {
  const { hostConfig } = container;
  const ipcDonor = donorOf(hostConfig.ipcMode, container, context, 'IPC');
  if (ipcDonor && !['shareable', 'host'].includes(ipcDonor.hostConfig.ipcMode)) {
    throw invalidArgument(
      `can't join IPC of container ${ipcDonor.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  const pidDonor = donorOf(hostConfig.pidMode, container, context, 'PID');
  const namespaces: SpecNamespace[] = [
    { type: 'mount' },
    ...(context.userPath === undefined ? [] : [{ type: 'user' as const, path: context.userPath }]),
    ...(context.netnsPath === undefined ? [] : [{ type: 'network' as const, path: context.netnsPath }]),
    ...shared('ipc', hostConfig.ipcMode, ipcDonor),
    ...shared('pid', hostConfig.pidMode, pidDonor),
    ...shared('uts', hostConfig.utsMode, undefined),
    ...shared('cgroup', hostConfig.cgroupnsMode, undefined),
  ];
  return { namespaces, ipcDonor };
}

function shared(
  type: 'ipc' | 'pid' | 'uts' | 'cgroup',
  mode: string,
  donor: Container | undefined,
): SpecNamespace[] {
  if (mode === 'host') return [];
  if (!donor || !isAlive(donor.state)) return [{ type }];
  return [{ type, path: `/proc/${donor.state.pid}/ns/${type}` }];
}

function joinable(find: () => Container, kind: 'IPC' | 'PID'): Container {
  try {
    return find();
  } catch (error) {
    throw invalidArgument(`failed to join ${kind} namespace: ${errorMessage(error)}`, { cause: error });
  }
}

function donorOf(
  mode: string,
  container: Container,
  { resolve }: NamespaceContext,
  kind: 'IPC' | 'PID',
): Container | undefined {
  if (!mode.startsWith('container:')) return undefined;
  const donor = joinable(() => resolve(mode.slice('container:'.length)), kind);
  if (donor.id === container.id) {
    throw invalidArgument(`cannot join own ${kind} namespace`);
  }
  if (!isAlive(donor.state)) {
    const reason =
      donor.state.status === 'restarting'
        ? `Container ${donor.id} is restarting, wait until the container is running`
        : `container ${donor.id} is not running`;
    throw internal(`failed to join ${kind} namespace: ${reason}`);
  }
  return donor;
}
