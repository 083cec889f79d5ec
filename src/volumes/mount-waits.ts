import { mountGivenUp } from './errors.ts';

interface Wait {
  readonly volume: string;
  readonly user: string;
  readonly giveUp: () => void;
}

/**
 * Who waits for a mount. A server that is dead makes one last for as long as its options say, and nothing can end mount(2): who
 * waits can be let go, while the mount goes on.
 */
export class MountWaits {
  readonly #waits = new Set<Wait>();
  /** Whose waits are given up now; undefined: everybody's. */
  readonly #refusals = new Set<{ readonly user: string | undefined }>();

  /**
   * Waits for `work`, which is told whether anybody still waits for it. @throws what it throws, and `canceled` when the wait is
   * given up; then what it throws later is nobody's.
   */
  async run(
    { name, mountpoint }: { readonly name: string; readonly mountpoint: string },
    user: string,
    work: (isGivenUp: () => boolean) => Promise<void>,
  ): Promise<void> {
    if ([...this.#refusals].some((refusal) => refusal.user === undefined || refusal.user === user))
      throw mountGivenUp(mountpoint);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isGivenUp = false;
    const giveUp = () => {
      isGivenUp = true;
      reject(mountGivenUp(mountpoint));
    };
    const wait = { volume: name, user, giveUp };
    this.#waits.add(wait);
    work(() => isGivenUp)
      .finally(() => this.#waits.delete(wait))
      .then(resolve, reject);
    await promise;
  }

  /** Ends the waits of a user, or all, and refuses new ones until it is disposed. */
  giveUp(user?: string): Disposable {
    const refusal = { user };
    this.#refusals.add(refusal);
    for (const wait of this.#waits) if (user === undefined || wait.user === user) wait.giveUp();
    return { [Symbol.dispose]: () => void this.#refusals.delete(refusal) };
  }

  /** Also those whose wait was given up, while the mount goes on. */
  usersOf(volume: string): string[] {
    return [...this.#waits].filter((wait) => wait.volume === volume).map(({ user }) => user);
  }
}
