import type { HostConfig, RestartPolicy } from '#api';
import { cliError } from '../../core/errors.ts';
import { toCapabilities } from './capabilities.ts';
import { toMap } from './environment.ts';
import type { CreateFlags } from './flags.ts';
import { parseMount, splitVolumes } from './mounts.ts';
import { toResources } from './resources.ts';
import { type SecurityPart, toSecurityPart } from './security.ts';

type PortBindings = HostConfig['PortBindings'];

/** Parts of the host's configuration that other flags decide as well. */
export interface HostConfigParts {
  readonly networkMode: string;
  readonly portBindings: PortBindings;
  readonly consoleSize: readonly [number, number];
  /** Whether `--init` was given at all. */
  readonly initGiven: boolean;
}

/** The engine's side of a create request. @throws docker's texts. */
export async function toHostConfig(flags: CreateFlags, parts: HostConfigParts): Promise<HostConfig> {
  checkModes(flags);
  const security = await toSecurityPart(flags['security-opt']);
  const restart = parseRestartPolicy(flags.restart);
  if (flags.rm && !['', 'no'].includes(restart.Name)) {
    throw cliError('conflicting options: cannot specify both --restart and --rm');
  }
  return {
    ...storage(flags),
    ...namespaces(flags),
    ...privileges(flags, security),
    ...naming(flags),
    ...toResources(flags),
    ContainerIDFile: flags.cidfile,
    LogConfig: logConfig(flags),
    NetworkMode: parts.networkMode,
    PortBindings: parts.portBindings,
    RestartPolicy: restart,
    AutoRemove: flags.rm,
    ConsoleSize: parts.consoleSize,
    OomScoreAdj: flags['oom-score-adj'],
    PublishAllPorts: flags['publish-all'],
    ShmSize: flags['shm-size'],
    Isolation: flags.isolation,
    ...(parts.initGiven && { Init: flags.init }),
    ...(flags.runtime !== '' && { Runtime: flags.runtime }),
    ...(Object.keys(flags.annotation).length > 0 && { Annotations: flags.annotation }),
    ...(Object.keys(flags.sysctl).length > 0 && { Sysctls: flags.sysctl }),
  };
}

const orNull = (list: readonly string[]): readonly string[] | null => (list.length > 0 ? list : null);

function storage(flags: CreateFlags) {
  const { binds } = splitVolumes(flags.volume);
  const options = flags['storage-opt'];
  if (options.some((option) => !option.includes('='))) throw cliError('invalid storage option');
  const tmpfs = flags.tmpfs.map((text) => {
    const colon = text.indexOf(':');
    return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  });
  return {
    Binds: orNull(binds),
    VolumeDriver: flags['volume-driver'],
    VolumesFrom: orNull(flags['volumes-from']),
    ReadonlyRootfs: flags['read-only'],
    ...(options.length > 0 && { StorageOpt: toMap(options) }),
    ...(tmpfs.length > 0 && { Tmpfs: Object.fromEntries(tmpfs) as Record<string, string> }),
    ...(flags.mount.length > 0 && { Mounts: flags.mount.map(parseMount) }),
  };
}

function namespaces(flags: CreateFlags) {
  return {
    CgroupnsMode: flags.cgroupns,
    IpcMode: flags.ipc,
    Cgroup: '',
    PidMode: flags.pid,
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
  };
}

function privileges(flags: CreateFlags, security: SecurityPart) {
  return {
    ...toCapabilities(flags['cap-add'], flags['cap-drop']),
    GroupAdd: orNull(flags['group-add']),
    Privileged: flags.privileged,
    SecurityOpt: security.options,
    MaskedPaths: security.maskedPaths,
    ReadonlyPaths: security.readonlyPaths,
  };
}

function naming(flags: CreateFlags) {
  return {
    Dns: flags.dns,
    DnsOptions: [...flags['dns-option'], ...flags['dns-opt']],
    DnsSearch: flags['dns-search'],
    ExtraHosts: orNull(flags['add-host']),
    Links: orNull(flags.link),
  };
}

function logConfig(flags: CreateFlags) {
  const options = toMap(flags['log-opt']);
  if (flags['log-driver'] === 'none' && Object.keys(options).length > 0) {
    throw cliError('invalid logging opts for driver none');
  }
  return { Type: flags['log-driver'], Config: options };
}

const isContainerMode = (mode: string): boolean => /^container:.+/.test(mode);

function checkModes({ pid, uts, userns, cgroupns }: CreateFlags): void {
  if (!['', 'host'].includes(pid) && !isContainerMode(pid)) throw cliError('--pid: invalid PID mode');
  if (!['', 'host'].includes(uts)) throw cliError('--uts: invalid UTS mode');
  if (!['', 'host'].includes(userns)) throw cliError('--userns: invalid USER mode');
  if (!['', 'host', 'private'].includes(cgroupns)) throw cliError('--cgroupns: invalid CGROUP mode');
}

/** `no`, `always`, `unless-stopped`, `on-failure[:count]`. @throws docker's text for a bad count. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const count = colon < 0 ? '' : text.slice(colon + 1);
  if (colon >= 0 && name === '')
    throw cliError('invalid restart policy format: no policy provided before colon');
  if (count !== '' && !/^[+-]?\d+$/.test(count))
    throw cliError('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name, MaximumRetryCount: Number(count) };
}
