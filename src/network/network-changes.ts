import {
  alreadyConnected,
  emptyNetworkName,
  hostNetworkFixed,
  noneNetworkExclusive,
  notConnected,
  onlyOneInstance,
  predefinedNotCreated,
  predefinedNotRemoved,
  sharedNetworkFixed,
  userNetworksMissing,
} from './errors.ts';
import type { NetworkRegistry } from './network-registry.ts';
import type { NetworkMember } from './types.ts';

const PREDEFINED = new Set(['bridge', 'host', 'none', 'default']);

/** Always refused, as docker refuses it or because it takes user-defined networks. */
export function refuseCreation(name: string, driver: string): never {
  if (PREDEFINED.has(name)) throw predefinedNotCreated(name);
  if (name.trim() === '') throw emptyNetworkName();
  if (driver === 'host' || driver === 'null') throw onlyOneInstance(driver);
  throw userNetworksMissing();
}

/** Always refused: every network is a predefined one. */
export function refuseRemoval(networks: NetworkRegistry, nameOrId: string): never {
  throw predefinedNotRemoved(networks.get(nameOrId).name);
}

/** Always refused, with docker's words where docker refuses it too. */
export function refuseConnection(networks: NetworkRegistry, nameOrId: string, member: NetworkMember): never {
  const { name } = networks.get(nameOrId);
  const mode = modeOf(member);
  if (mode.startsWith('container:')) throw sharedNetworkFixed();
  if (mode === name) throw alreadyConnected(member.name, name);
  if (mode === 'host') throw sharedNetworkFixed();
  if (name === 'host') throw hostNetworkFixed();
  if (mode === 'none' || name === 'none') throw noneNetworkExclusive();
  throw userNetworksMissing();
}

/** As {@link refuseConnection}. */
export function refuseDisconnection(
  networks: NetworkRegistry,
  nameOrId: string,
  member: NetworkMember,
): never {
  const { name } = networks.get(nameOrId);
  if (modeOf(member) !== name) throw notConnected(member.id, name);
  if (name === 'host') throw hostNetworkFixed();
  throw userNetworksMissing();
}

const modeOf = ({ networkMode }: NetworkMember): string =>
  networkMode === 'default' || networkMode === '' ? 'bridge' : networkMode;
