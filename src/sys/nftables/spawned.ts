import { closeSync, constants, openSync } from 'node:fs';
import { O_CLOEXEC } from '../constants.ts';
import { SysError } from '../errors.ts';
import type { Fd, Namespaces, Nftables } from '../types.ts';
import { nftError, parseListing } from './command.ts';

/** nftables through the `nft` program, about 20 times slower than the library. */
export function openSpawnedNftables(namespaces: Namespaces): Nftables {
  return new SpawnedNftables(namespaces);
}

class SpawnedNftables implements Nftables {
  readonly #namespaces: Namespaces;
  /** Holds the namespace in which the context was opened. */
  readonly #home: Fd = openSync('/proc/thread-self/ns/net', constants.O_RDONLY | O_CLOEXEC);
  #closed = false;

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  run(commands: string): void {
    this.#execute(['-f', '-'], commands);
  }

  query(command: string): readonly Record<string, unknown>[] {
    return parseListing(this.#execute(['-j', '-f', '-'], command));
  }

  [Symbol.dispose](): void {
    if (!this.#closed) closeSync(this.#home);
    this.#closed = true;
  }

  #execute(args: readonly string[], commands: string): string {
    if (this.#closed) throw new Error('the nftables context is closed');
    const stdin = new TextEncoder().encode(commands);
    const { success, stdout, stderr } = this.#namespaces.withNetwork(`/proc/self/fd/${this.#home}`, () =>
      spawn(['nft', ...args], stdin),
    );
    if (!success) throw nftError(stderr.toString());
    return stdout.toString();
  }
}

function spawn(command: string[], stdin: Uint8Array) {
  try {
    return Bun.spawnSync(command, { stdin, stdout: 'pipe', stderr: 'pipe' });
  } catch {
    throw new SysError('ENOENT', 'nft', 'neither libnftables.so.1 nor the "nft" program is installed');
  }
}
