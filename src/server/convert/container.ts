import type { ContainerInspectResponse, ContainerSummary, PortSummary } from '#api';
import type { ContainerView } from '#containers';
import { fromContainerConfig } from './container-config.ts';
import { type NetworkIdOf, networksOf, portsOf } from './endpoint.ts';
import { fromHostConfig } from './host-config.ts';
import { fromMountPoint } from './mounts.ts';
import { fromState, healthSummary, statusText } from './status.ts';
import { byKey, omitEmpty, omitEmptyObject, orNull } from './zero.ts';

export interface Sizes {
  readonly rwBytes: number;
  readonly rootFsBytes: number;
}

/** Facts of other rooms that a container's answer shows. */
export interface ContainerSurroundings {
  readonly networkIdOf: NetworkIdOf;
  /** The image's name as long as it still means that image, else its ID. */
  readonly imageName: (view: ContainerView) => string;
  readonly nowMs: number;
}

export function fromContainerView(
  view: ContainerView,
  { networkIdOf }: Pick<ContainerSurroundings, 'networkIdOf'>,
  sizes?: Sizes,
): ContainerInspectResponse {
  return {
    Id: view.id,
    Created: view.created,
    Path: view.path,
    Args: view.args,
    State: fromState(view.state),
    Image: view.imageId,
    ...pathsOf(view),
    Name: `/${view.name}`,
    RestartCount: view.restartCount,
    Driver: view.driver,
    Platform: 'linux',
    MountLabel: view.mountLabel ?? '',
    ProcessLabel: view.hostConfig.privileged ? '' : (view.processLabel ?? ''),
    AppArmorProfile: view.appArmorProfile,
    ExecIDs: orNull(view.execIds),
    HostConfig: fromHostConfig(view.hostConfig),
    GraphDriver: { Data: view.graphDriver, Name: view.driver },
    ...(sizes ? { SizeRw: sizes.rwBytes, SizeRootFs: sizes.rootFsBytes } : {}),
    Mounts: view.mounts.map(fromMountPoint),
    Config: fromContainerConfig(view.config),
    NetworkSettings: {
      SandboxID: view.sandbox?.id ?? '',
      SandboxKey: view.sandbox?.netnsPath ?? '',
      Ports: portsOf(view),
      Networks: networksOf(view, networkIdOf),
    },
  };
}

/** With the hardware address that was asked for in the container's configuration, where clients before 1.52 look for it. */
export function withWantedMac(
  answer: ContainerInspectResponse,
  { endpoints, hostConfig }: ContainerView,
): ContainerInspectResponse {
  const mac = endpoints[hostConfig.networkMode]?.macAddress;
  return mac ? { ...answer, Config: { ...answer.Config, MacAddress: mac } } : answer;
}

export function summarizeContainer(
  view: ContainerView,
  surroundings: ContainerSurroundings,
  sizes?: Sizes,
): ContainerSummary {
  const fixed = fixedPart(view, surroundings.networkIdOf);
  return {
    Id: view.id,
    Names: fixed.names,
    Image: surroundings.imageName(view),
    ImageID: view.imageId,
    Command: fixed.command,
    Created: fixed.created,
    Ports: fixed.ports,
    ...omitEmpty('SizeRw', sizes?.rwBytes),
    ...omitEmpty('SizeRootFs', sizes?.rootFsBytes),
    Labels: fixed.labels,
    State: view.state.status,
    Status: statusText(view.state, surroundings.nowMs),
    HostConfig: fixed.hostConfig,
    Health: healthSummary(view.state),
    NetworkSettings: {
      Networks: fixed.networks ?? withoutNames(networksOf(view, surroundings.networkIdOf)),
    },
    Mounts: fixed.mounts,
  };
}

/** Files of the container that the first start makes: before it there are none. */
function pathsOf(view: ContainerView) {
  const { state } = view;
  const wasStarted = state.status !== 'created' || state.exitCode !== undefined;
  return {
    ResolvConfPath: wasStarted ? view.resolvConfPath : '',
    HostnamePath: wasStarted ? view.hostnamePath : '',
    HostsPath: wasStarted ? view.hostsPath : '',
    LogPath: wasStarted ? logPathOf(view) : '',
  };
}

/** Of other drivers docker keeps no file that a user could read. */
const logPathOf = ({ hostConfig, logPath }: ContainerView): string =>
  ['', 'json-file'].includes(hostConfig.logConfig.type) ? logPath : '';

/** The part of a summary that stays as long as the container's records are the same objects. */
interface FixedPart {
  readonly view: ContainerView;
  readonly names: ContainerSummary['Names'];
  readonly command: string;
  readonly created: number;
  readonly ports: PortSummary[];
  readonly labels: ContainerSummary['Labels'];
  readonly hostConfig: ContainerSummary['HostConfig'];
  readonly mounts: ContainerSummary['Mounts'];
  /** Only of a running container: the networks of another one may change under it. */
  readonly networks: ContainerSummary['NetworkSettings']['Networks'] | undefined;
}

/** Lists are asked for again and again (`ps`, dashboards); converting is four fifths of their cost. */
const fixedParts = new WeakMap<ContainerView['config'], FixedPart>();

function fixedPart(view: ContainerView, networkIdOf: NetworkIdOf): FixedPart {
  const known = fixedParts.get(view.config);
  if (known && isSameRecord(known.view, view)) return known;
  const fixed = makeFixedPart(view, networkIdOf);
  fixedParts.set(view.config, fixed);
  return fixed;
}

function isSameRecord(a: ContainerView, b: ContainerView): boolean {
  return (
    a.name === b.name &&
    a.hostConfig === b.hostConfig &&
    a.sandbox === b.sandbox &&
    a.mounts === b.mounts &&
    a.endpoints === b.endpoints
  );
}

function makeFixedPart(view: ContainerView, networkIdOf: NetworkIdOf): FixedPart {
  return {
    view,
    names: [`/${view.name}`],
    command: commandLine(view),
    created: Math.floor(Date.parse(view.created) / 1000),
    ports: portSummaries(view),
    labels: byKey(view.config.labels),
    hostConfig: {
      NetworkMode: view.hostConfig.networkMode,
      ...omitEmptyObject('Annotations', byKey(view.hostConfig.annotations)),
    },
    mounts: view.mounts.map(fromMountPoint),
    networks: view.sandbox ? withoutNames(networksOf(view, networkIdOf)) : undefined,
  };
}

/** The list leaves out what only inspect shows of an endpoint. */
function withoutNames(
  networks: ReturnType<typeof networksOf>,
): ContainerSummary['NetworkSettings']['Networks'] {
  for (const [name, settings] of Object.entries(networks)) {
    networks[name] = { ...settings, Links: null, Aliases: null, DriverOpts: null, DNSNames: null };
  }
  return networks;
}

/** Arguments with a space are put in single quotes, and nothing more. Source: docker's container/view.go. */
function commandLine({ path, args }: ContainerView): string {
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

function portSummaries(view: ContainerView): PortSummary[] {
  return Object.entries(portsOf(view)).flatMap(([key, bindings]): PortSummary[] => {
    const [port, type = 'tcp'] = key.split('/');
    const PrivatePort = Number(port);
    if (!bindings) return [{ PrivatePort, Type: type }];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort,
      PublicPort: Number(HostPort),
      Type: type,
    }));
  });
}
