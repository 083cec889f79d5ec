import { internal } from '#base';
import type { Sandbox } from '#network';
import type { Engine } from '../engine.ts';
import { missingNetworkDonor, restartingNetworkDonor, stoppedNetworkDonor } from '../errors.ts';
import { openedBy } from '../links/link.ts';
import { requireLinks } from '../links/linked.ts';
import type { Container } from '../model.ts';
import { isAlive } from '../state.ts';

const PREFIX = 'container:';

/** The container whose network this one shares; undefined when it has its own. @throws docker's texts. */
export function networkDonor(engine: Engine, container: Container): Container | undefined {
  const { networkMode } = container.hostConfig;
  if (!networkMode.startsWith(PREFIX)) return undefined;
  const ref = networkMode.slice(PREFIX.length);
  const donor = resolveDonor(engine, ref);
  if (donor.id === container.id) throw internal('cannot join own network namespace');
  const { status } = donor.state;
  if (status === 'restarting') throw restartingNetworkDonor(ref);
  if (!isAlive(donor.state)) throw stoppedNetworkDonor(donor.name, status);
  return networkDonor(engine, donor) ?? donor;
}

/** It may have been missing at create already: docker's clients may make a container before the one that it joins. */
function resolveDonor({ registry }: Engine, ref: string): Container {
  try {
    return registry.resolve(ref);
  } catch (error) {
    throw missingNetworkDonor(error);
  }
}

/**
 * A network of the container's own (in the namespace at `netnsFrom`, if given), or the one it shares. What was made is
 * undone by `undo`.
 */
export async function openSandbox(
  engine: Engine,
  container: Container,
  undo: AsyncDisposableStack,
  netnsFrom?: string,
): Promise<Sandbox> {
  // While the network is made the kernel gets ready for the runtime's part.
  engine.sys.cgroups.expectAttach();
  const donor = networkDonor(engine, container);
  if (donor) return sharedSandbox(engine, donor);
  const { hostConfig, config } = container;
  const links = requireLinks(engine, container).map(({ target }) => openedBy(target));
  undo.defer(() => engine.network.removeSandbox(container.id));
  return await engine.network.createSandbox({
    containerId: container.id,
    containerName: container.name,
    networkMode: config.networkDisabled ? 'none' : hostConfig.networkMode,
    endpoints: container.endpoints,
    ports: container.portRequests,
    links: [...new Map(links.map((link) => [link.containerId, link])).values()],
    ...(netnsFrom === undefined ? {} : { netnsFrom }),
  });
}

function sharedSandbox(engine: Engine, donor: Container): Sandbox {
  const sandbox = engine.network.sandbox(donor.id);
  if (!sandbox) throw stoppedNetworkDonor(donor.name, donor.state.status);
  return sandbox;
}
