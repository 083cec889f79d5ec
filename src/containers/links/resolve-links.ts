import { errorMessage, isNotFound } from '#base';
import { badLink, linksNeedNetwork, linkTargetMissing } from '../errors.ts';
import type { Container, ContainerLink } from '../model.ts';
import { parseLink } from './link.ts';

const SHARED = 'container:';

/**
 * The containers that `--link` names, as they are called now. Of two links with one alias the first counts.
 * @throws `invalid_argument` with docker's texts: not "not found", which clients take for a missing image.
 */
export function resolveLinks(texts: readonly string[], resolve: (ref: string) => Container): ContainerLink[] {
  const links = new Map<string, ContainerLink>();
  for (const { target, alias } of texts.map(parseLink)) {
    const container = donorOf(find(target, resolve), resolve);
    if (container.hostConfig.networkMode === 'host') throw linksNeedNetwork();
    if (!links.has(alias)) links.set(alias, { containerId: container.id, name: container.name, alias });
  }
  return [...links.values()];
}

function find(target: string, resolve: (ref: string) => Container): Container {
  try {
    return resolve(target);
  } catch (error) {
    if (isNotFound(error)) throw linkTargetMissing(target, errorMessage(error));
    throw badLink(`could not get container for ${target}: ${errorMessage(error)}`);
  }
}

/** A container in another one's network is found where that one is. */
function donorOf(container: Container, resolve: (ref: string) => Container): Container {
  const { networkMode } = container.hostConfig;
  return networkMode.startsWith(SHARED)
    ? donorOf(find(networkMode.slice(SHARED.length), resolve), resolve)
    : container;
}
