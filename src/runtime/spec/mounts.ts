import type { SpecMount } from '#oci';
import type { SpecInput } from '../types.ts';

type Builder = (input: SpecInput) => SpecMount;

const DEFAULT_MOUNTS: readonly Builder[] = [
  () => ({
    destination: '/proc',
    type: 'proc',
    source: 'proc',
    options: ['nosuid', 'noexec', 'nodev'],
  }),
  () => ({
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  }),
  () => ({
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  }),
  (input) => ({
    destination: '/sys',
    type: 'sysfs',
    source: 'sysfs',
    options: ['nosuid', 'noexec', 'nodev', ...readOnlyUnlessPrivileged(input)],
  }),
  (input) => ({
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: [...(input.writableCgroups ? [] : readOnlyUnlessPrivileged(input)), 'nosuid', 'noexec', 'nodev'],
  }),
  () => ({
    destination: '/dev/mqueue',
    type: 'mqueue',
    source: 'mqueue',
    options: ['nosuid', 'noexec', 'nodev'],
  }),
  sharedMemory,
];

const readOnlyUnlessPrivileged = (input: SpecInput): string[] => (input.privileged ? [] : ['ro']);

function sharedMemory(input: SpecInput): SpecMount {
  if (input.shmPath !== undefined)
    return {
      destination: '/dev/shm',
      type: 'bind',
      source: input.shmPath,
      options: ['rbind', 'rprivate'],
    };
  return {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${input.shmSizeBytes}`],
  };
}

/**
 * All mounts in the order the runtime makes them: the default ones that no user mount replaces, the init binary, then
 * the user's, shallow destinations first, so that one may lie inside another whatever order they were given in.
 */
export function buildMounts(input: SpecInput): SpecMount[] {
  const taken = new Set(input.mounts.map((mount) => mount.destination));
  const hidden = (mount: SpecMount) =>
    taken.has(mount.destination) || (taken.has('/dev') && mount.destination.startsWith('/dev/'));
  const defaults = DEFAULT_MOUNTS.map((build) => build(input)).filter(
    (mount) => !hidden(mount) && isWanted(mount, input),
  );
  const depth = (mount: SpecMount) => mount.destination.split('/').filter(Boolean).length;
  const users = input.mounts.toSorted((a, b) => depth(a) - depth(b));
  return [...defaults, ...users, ...initMount(input)];
}

const isWanted = ({ destination }: SpecMount, input: SpecInput): boolean => {
  if (destination === '/dev/mqueue') return ownsIpc(input);
  return destination !== '/dev/shm' || input.shmPath !== undefined || input.shmSizeBytes !== undefined;
};

/** From a user namespace, the message queues of the host cannot be mounted. */
const ownsIpc = ({ namespaces }: SpecInput): boolean =>
  namespaces.some(({ type }) => type === 'ipc') || !namespaces.some(({ type }) => type === 'user');

/** Where the init binary appears in containers with `--init`. */
export const INIT_DESTINATION = '/sbin/docker-init';

function initMount(input: SpecInput): SpecMount[] {
  if (input.initPath === undefined) return [];
  return [
    {
      destination: INIT_DESTINATION,
      type: 'bind',
      source: input.initPath,
      options: ['bind', 'ro', 'rprivate'],
    },
  ];
}
