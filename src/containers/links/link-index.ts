import type { Container } from '../model.ts';

const NONE: readonly string[] = [];

/** Who links to whom: by the linked container's ID, the containers that link to it. */
export class LinkIndex {
  readonly #parents = new Map<string, Set<string>>();

  /** Notes that a container's record was replaced, made (`before` undefined) or removed (`after` undefined). */
  update(before: Container | undefined, after: Container | undefined): void {
    if (before?.links === after?.links) return;
    for (const { containerId } of before?.links ?? [])
      this.#parents.get(containerId)?.delete(before?.id ?? '');
    if (!after) return;
    for (const { containerId } of after.links ?? []) {
      const parents = this.#parents.get(containerId) ?? new Set();
      this.#parents.set(containerId, parents.add(after.id));
    }
  }

  /** IDs of the containers that link to this one. */
  parentsOf(id: string): readonly string[] {
    const parents = this.#parents.get(id);
    return parents && parents.size > 0 ? [...parents] : NONE;
  }
}
