import { readFileSync, writeFileSync } from 'node:fs';
import type { Companion } from '../companions.ts';
import type { Engine } from '../engine.ts';
import type { Container } from '../model.ts';
import { isAlive } from '../state.ts';
import { hostNamesOf, liveLinks } from './linked.ts';

/** Keeps the hosts files of running containers right when a container they link to comes back elsewhere. */
export class LinkedHosts implements Companion {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  begin({ id }: Container): void {
    const { registry } = this.#engine;
    for (const parent of registry.parentsOf(id)) {
      if (isAlive(parent.state)) this.#update(parent, id);
    }
  }

  end(): void {}

  async close(): Promise<void> {}

  #update(parent: Container, id: string): void {
    const links = liveLinks(this.#engine, parent).filter(({ target }) => target.id === id);
    const before = readFileSync(parent.hostsPath, 'utf8');
    const after = links.reduce(
      (text, link) => withAddress(text, hostNamesOf(link).slice(0, 2), link.address),
      before,
    );
    // The file is bound into the container: it is rewritten in place, never replaced.
    if (after !== before) writeFileSync(parent.hostsPath, after);
  }
}

/** Changes the address of the line that begins with these names; what the container added itself stays. */
function withAddress(hosts: string, names: readonly string[], address: string): string {
  const lines = hosts.split('\n').map((line) => {
    const [, ...found] = line.split(/\s+/);
    return names.every((name, index) => found[index] === name) ? `${address}\t${found.join(' ')}` : line;
  });
  return lines.join('\n');
}
