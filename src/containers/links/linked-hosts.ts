import { errorMessage } from '#base';
import { rewriteText } from '../bounded-text.ts';
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
    const change = (before: string): string =>
      links.reduce((text, link) => withAddress(text, hostNamesOf(link).slice(0, 2), link.address), before);
    const { logger } = this.#engine;
    const fields = { container: parent.id, path: parent.hostsPath };
    try {
      // The file is bound into the container: it is rewritten in place, never replaced.
      if (!rewriteText(parent.hostsPath, change)) logger.warn('hosts file too long, not updated', fields);
    } catch (error) {
      logger.warn('hosts file not updated', { ...fields, error: errorMessage(error) });
    }
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
