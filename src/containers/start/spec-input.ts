import { invalidArgument } from '#base';
import { mappedRoot } from '#oci';
import { resolveCapabilities, type SpecInput, type SpecProcessInput } from '#runtime';
import type { Engine } from '../engine.ts';
import { linkVariables } from '../links/linked.ts';
import type { Container } from '../model.ts';
import { hostOptions } from '../mounts/host-options.ts';
import { specMounts } from '../mounts/spec-mounts.ts';
import { cgroupPathOf, containerPaths } from '../paths.ts';
import { appArmorProfile } from '../spec/apparmor.ts';
import { ownsBlockWeights } from '../spec/block-weights.ts';
import { specDevices } from '../spec/devices.ts';
import { processEnv } from '../spec/env.ts';
import { specLimits } from '../spec/limits.ts';
import { specNamespaces } from '../spec/namespaces.ts';
import { specResources } from '../spec/resources.ts';
import { parseSecurity } from '../spec/security.ts';
import { resolveUser } from '../spec/users.ts';
import { hostnameOf } from './network-files.ts';

/** Everything the runtime needs to know about the container, from its stored form and the running system. */
export function specInput(
  engine: Engine,
  container: Container,
  parts: {
    readonly rootfs: string;
    readonly netnsPath: string | undefined;
    /** The user namespace to join; undefined: the host's. */
    readonly userPath?: string | undefined;
    /** Why read-only mounts are so without what is mounted below. */
    readonly shallowReadOnly?: string | undefined;
  },
): SpecInput {
  const { config, hostConfig, id } = container;
  const { namespaces, ipcDonor } = specNamespaces(container, {
    netnsPath: parts.netnsPath,
    userPath: parts.userPath,
    resolve: (ref) => engine.registry.resolve(ref),
  });
  const hostname = hostConfig.utsMode === 'host' ? undefined : hostnameOf(container);
  const shmPath = shmSource(engine, container, ipcDonor);
  const initPath = initProgram(engine, container);
  const security = parseSecurity(hostConfig, engine.defaults);
  return {
    id,
    rootfs: parts.rootfs,
    readonlyRootfs: hostConfig.readonlyRootfs,
    hostname,
    domainname: config.domainname || undefined,
    process: initProcess(engine, container, parts.rootfs),
    terminal: config.tty,
    ...consoleSize(container),
    namespaces,
    ...mappingsOf(container),
    mounts: specMounts(container.mounts, hostConfig, {
      hostname: container.hostnamePath,
      hosts: container.hostsPath,
      resolvConf: container.resolvConfPath,
      owner: container.idMappings && mappedRoot(container.idMappings),
      hostMounts: () => engine.sys.mounts.list(),
      hostOptions: (path) => hostOptions(engine.sys.files, path),
      shallowReadOnly: parts.shallowReadOnly,
    }),
    shmSizeBytes: hostConfig.ipcMode === 'none' ? undefined : hostConfig.shmSize,
    ...(shmPath === undefined ? {} : { shmPath }),
    ...specDevices(hostConfig),
    privileged: hostConfig.privileged,
    resources: specResources(hostConfig, { withoutWeights: ownsBlockWeights(engine.sys.cgroups) }),
    cgroupsPath: cgroupPathOf(container, engine.defaults),
    sysctls: hostConfig.sysctls,
    seccomp: security.seccomp,
    writableCgroups: security.writableCgroups,
    maskedPaths: hostConfig.maskedPaths,
    readonlyPaths: hostConfig.readonlyPaths,
    annotations: hostConfig.annotations,
    ...(container.mountLabel ? { mountLabel: container.mountLabel } : {}),
    ...(initPath === undefined ? {} : { initPath }),
  };
}

function mappingsOf({ idMappings }: Container): Pick<SpecInput, 'uidMappings' | 'gidMappings'> {
  return idMappings ? { uidMappings: idMappings.uids, gidMappings: idMappings.gids } : {};
}

function consoleSize({ hostConfig: { consoleSize } }: Container): Pick<SpecInput, 'consoleSize'> {
  const [rows, columns] = consoleSize;
  return rows > 0 && columns > 0 ? { consoleSize: { rows, columns } } : {};
}

function initProcess(engine: Engine, container: Container, rootfs: string): SpecProcessInput {
  const { config, hostConfig } = container;
  const user = resolveUser(engine.sys, rootfs, config.user, hostConfig.groupAdd);
  const limits = specLimits(
    hostConfig.ulimits,
    engine.defaults.ulimits,
    hostConfig.oomScoreAdj,
    engine.host.limits,
  );
  return {
    args: [container.path, ...container.args],
    env: processEnv({
      tty: config.tty,
      hostname: hostnameOf(container),
      home: user.home,
      layers: [linkVariables(engine, container), config.env],
    }),
    cwd: config.workingDir || '/',
    uid: user.uid,
    gid: user.gid,
    additionalGids: user.additionalGids,
    capabilities: containerCapabilities(engine, container),
    ...processSecurity(engine, container),
    rlimits: limits.rlimits,
    oomScoreAdj: limits.oomScoreAdj,
  };
}

/** What restrains every process of a container, execs included. */
export function processSecurity(
  { defaults, host }: Engine,
  { hostConfig, processLabel }: Container,
): Pick<SpecProcessInput, 'noNewPrivileges' | 'apparmorProfile' | 'selinuxLabel'> {
  const { noNewPrivileges, appArmor } = parseSecurity(hostConfig, defaults);
  const profile = appArmorProfile({ chosen: appArmor, isPrivileged: hostConfig.privileged }, host.appArmor);
  if (profile !== undefined && profile === host.appArmor.defaultProfile) host.appArmor.ensureLoaded();
  return {
    noNewPrivileges,
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
    ...(processLabel && !hostConfig.privileged ? { selinuxLabel: processLabel } : {}),
  };
}

/** The capabilities of a container's processes, cut to what the daemon has. */
export const containerCapabilities = (engine: Engine, { hostConfig }: Container): string[] =>
  resolveCapabilities({
    add: hostConfig.capAdd,
    drop: hostConfig.capDrop,
    privileged: hostConfig.privileged,
    available: engine.host.capabilities,
  }).value;

/** What is bound to /dev/shm: the donor's or the container's own shared one; undefined: a fresh private one. */
function shmSource(engine: Engine, container: Container, donor: Container | undefined): string | undefined {
  const mode = (donor ?? container).hostConfig.ipcMode;
  if (mode === 'host') return '/dev/shm';
  return mode === 'shareable' ? containerPaths(engine.dataRoot, (donor ?? container).id).shm : undefined;
}

function initProgram({ defaults }: Engine, { hostConfig }: Container): string | undefined {
  if (!(hostConfig.init ?? defaults.init)) return undefined;
  if (defaults.initPath === undefined) {
    throw invalidArgument('no init program found: install tini or docker-init, or set its path');
  }
  return defaults.initPath;
}
