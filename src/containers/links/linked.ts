import type { Engine } from '../engine.ts';
import { linkToForeignNetwork, linkToStopped } from '../errors.ts';
import type { Container, ContainerLink } from '../model.ts';
import { isAlive } from '../state.ts';
import { linkEnv } from './link-env.ts';

/** A link that leads somewhere now. */
export interface LiveLink {
  readonly alias: string;
  readonly target: Container;
  readonly address: string;
}

const BRIDGE_MODES: readonly string[] = ['bridge', 'default', ''];

/**
 * The links of a container that is about to start. Only the default bridge has them.
 * @throws `internal` with docker's texts when one leads nowhere.
 */
export function requireLinks(engine: Engine, container: Container): LiveLink[] {
  return linksInUse(container).map((link) => {
    const target = engine.registry.byId(link.containerId);
    const from = `/${container.name}/${link.alias}`;
    if (!target || !isAlive(target.state)) throw linkToStopped(target?.name ?? link.name, from);
    const address = addressOf(engine, target.id);
    if (address === undefined) throw linkToForeignNetwork(target.name);
    return { alias: link.alias, target, address };
  });
}

/** The links of a running container, without those that lead nowhere at this moment. */
export const liveLinks = (engine: Engine, container: Container): LiveLink[] =>
  linksInUse(container).flatMap(({ alias, containerId }) => {
    const target = engine.registry.byId(containerId);
    const address = addressOf(engine, containerId);
    return target && address !== undefined ? [{ alias, target, address }] : [];
  });

/** The variables that the links of a container give its processes. */
export const linkVariables = (engine: Engine, container: Container): string[] =>
  liveLinks(engine, container).flatMap(({ alias, target, address }) =>
    linkEnv({
      fullName: `/${container.name}/${alias}`,
      address,
      exposedPorts: target.config.exposedPorts,
      env: target.config.env,
    }),
  );

interface Named {
  readonly alias: string;
  readonly target: Pick<Container, 'name'> & {
    readonly id: string;
    readonly config: Pick<Container['config'], 'hostname'>;
  };
}

/**
 * The names of a linked container in the hosts file: alias, host name, name; each once. A host name that would break
 * the line gives way to the short ID.
 */
export const hostNamesOf = ({ alias, target }: Named): string[] => {
  const { hostname } = target.config;
  return [...new Set([alias, /^\S+$/.test(hostname) ? hostname : target.id.slice(0, 12), target.name])];
};

const linksInUse = ({ links, config, hostConfig }: Container): readonly ContainerLink[] =>
  BRIDGE_MODES.includes(hostConfig.networkMode) && !config.networkDisabled ? (links ?? []) : [];

const addressOf = (engine: Engine, id: string): string | undefined =>
  engine.network.sandbox(id)?.endpoints.find(({ networkName }) => networkName === 'bridge')?.ipv4Address ||
  undefined;
