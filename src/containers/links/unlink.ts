import type { Engine } from '../engine.ts';
import { defaultLinkName, noSuchContainer } from '../errors.ts';

/**
 * Takes a link away, by the name it gives (`web/db`); both containers stay. What it opened is closed at once; names and
 * variables of processes that run stay as they are.
 * @throws `not_found`, and `conflict` for a container's own name.
 */
export async function unlink(engine: Engine, ref: string): Promise<void> {
  const { registry, locks, network } = engine;
  const [parentRef = '', alias] = ref.replace(/^\//, '').split('/');
  if (alias === undefined) {
    registry.resolve(ref);
    throw defaultLinkName();
  }
  const target = registry.resolve(ref);
  const { id } = registry.resolve(parentRef);
  await locks.run(id, async () => {
    const parent = registry.resolve(id);
    const links = (parent.links ?? []).filter((link) => link.alias !== alias);
    if (links.length === (parent.links ?? []).length) throw noSuchContainer(ref);
    registry.save({ ...parent, links });
    if (!links.some(({ containerId }) => containerId === target.id)) await network.unlink(id, target.id);
  });
}
