import type { ContainerInspectResponse, ContainerSummary, PortSummary } from '#api';
import type { ContainerView } from '#containers';
import { fromContainerConfig } from './container-config.ts';
import { hasEndpoints, type NetworkIdOf, networksOf, portsOf, wantedNetworks } from './endpoint.ts';
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
    HostConfig: { ...fromHostConfig(view.hostConfig), Links: orNull(view.linkTexts) },
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

/** Without `sizes` the very same object as long as it would read the same: its JSON is then at hand as well. */
export function summarizeContainer(
  view: ContainerView,
  surroundings: ContainerSurroundings,
  sizes?: Sizes,
): ContainerSummary {
  const fixed = fixedPart(view);
  const changing: ChangingPart = {
    state: view.state,
    image: surroundings.imageName(view),
    status: statusText(view.state, surroundings.nowMs),
    networks: listedNetworks(fixed, view, surroundings.networkIdOf),
  };
  if (sizes) return makeSummary(view, fixed, changing, sizes);
  const { last } = fixed;
  if (last && isSameReading(last.changing, changing)) return last.summary;
  const summary = makeSummary(view, fixed, changing);
  fixed.last = { changing, summary };
  return summary;
}

function makeSummary(
  view: ContainerView,
  fixed: FixedPart,
  { image, status, networks }: ChangingPart,
  sizes?: Sizes,
): ContainerSummary {
  return {
    Id: view.id,
    Names: fixed.names,
    Image: image,
    ImageID: view.imageId,
    Command: fixed.command,
    Created: fixed.created,
    Ports: fixed.ports,
    ...omitEmpty('SizeRw', sizes?.rwBytes),
    ...omitEmpty('SizeRootFs', sizes?.rootFsBytes),
    Labels: fixed.labels,
    State: view.state.status,
    Status: status,
    HostConfig: fixed.hostConfig,
    Health: healthSummary(view.state),
    NetworkSettings: { Networks: networks },
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

type ListedNetworks = ContainerSummary['NetworkSettings']['Networks'];

/** What of a summary may change from one list to the next. */
interface ChangingPart {
  readonly state: ContainerView['state'];
  readonly image: string;
  readonly status: string;
  readonly networks: ListedNetworks;
}

/** The part of a summary that stays as long as the container's records are the same objects. */
interface FixedPart {
  readonly records: Pick<ContainerView, 'names' | 'hostConfig' | 'sandbox' | 'mounts' | 'endpoints'>;
  readonly names: ContainerSummary['Names'];
  readonly command: string;
  readonly created: number;
  readonly ports: PortSummary[];
  readonly labels: ContainerSummary['Labels'];
  readonly hostConfig: ContainerSummary['HostConfig'];
  readonly mounts: ContainerSummary['Mounts'];
  /** Networks that a container without a sandbox asks for: they may come and go under it. */
  readonly wanted: readonly string[];
  networks?: { readonly ids: readonly (string | undefined)[]; readonly listed: ListedNetworks };
  last?: { readonly changing: ChangingPart; readonly summary: ContainerSummary };
}

/** Lists are asked for again and again (`ps`, dashboards); converting is four fifths of their cost. */
const fixedParts = new WeakMap<ContainerView['config'], FixedPart>();

function fixedPart(view: ContainerView): FixedPart {
  const known = fixedParts.get(view.config);
  if (known && isSameRecord(known.records, view)) return known;
  const fixed = makeFixedPart(view);
  fixedParts.set(view.config, fixed);
  return fixed;
}

function isSameRecord(a: FixedPart['records'], b: ContainerView): boolean {
  return (
    (a.names === b.names || a.names.join() === b.names.join()) &&
    a.hostConfig === b.hostConfig &&
    a.sandbox === b.sandbox &&
    a.mounts === b.mounts &&
    a.endpoints === b.endpoints
  );
}

function isSameReading(a: ChangingPart, b: ChangingPart): boolean {
  return a.state === b.state && a.status === b.status && a.image === b.image && a.networks === b.networks;
}

function makeFixedPart(view: ContainerView): FixedPart {
  const { names, hostConfig, sandbox, mounts, endpoints } = view;
  return {
    records: { names, hostConfig, sandbox, mounts, endpoints },
    names: names.map((name) => `/${name}`),
    command: commandLine(view),
    created: Math.floor(Date.parse(view.created) / 1000),
    ports: portSummaries(view),
    labels: byKey(view.config.labels),
    hostConfig: {
      NetworkMode: hostConfig.networkMode,
      ...omitEmptyObject('Annotations', byKey(hostConfig.annotations)),
    },
    mounts: mounts.map(fromMountPoint),
    wanted: hasEndpoints(view) ? [] : wantedNetworks(view),
  };
}

function listedNetworks(fixed: FixedPart, view: ContainerView, networkIdOf: NetworkIdOf): ListedNetworks {
  const { wanted, networks } = fixed;
  if (networks && wanted.every((name, index) => networkIdOf(name) === networks.ids[index]))
    return networks.listed;
  const listed = withoutNames(networksOf(view, networkIdOf));
  fixed.networks = { ids: wanted.map(networkIdOf), listed };
  return listed;
}

/** The list leaves out what only inspect shows of an endpoint. */
function withoutNames(networks: ReturnType<typeof networksOf>): ListedNetworks {
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
