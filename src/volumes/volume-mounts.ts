import { lookup } from 'node:dns/promises';
import { errnoCode, errorMessage, KeyedMutex, type Logger, settleAll } from '#base';
import type { MountInfo, Mounts } from '#sys';
import { needsMount } from './driver-options.ts';
import { volumeNotMounted } from './errors.ts';
import { mountInWorker } from './mount-in-worker.ts';
import { type MountPlan, planMount, type ResolveHost } from './mount-plan.ts';
import { MountWaits } from './mount-waits.ts';
import { performMount } from './perform.ts';
import type { Volume } from './types.ts';

export interface VolumeMountsOptions {
  readonly mounts: Mounts;
  readonly logger: Logger;
  /** Carries out plans that may sleep. Default: a Worker. */
  readonly mountAside?: (plan: MountPlan) => Promise<void>;
  /** Default: this machine's resolver. */
  readonly resolve?: ResolveHost;
}

/** What went wrong before or while the kernel was asked; the first has a text of its own. */
const NO_DEVICE = 'missing device in volume options';

/**
 * Volumes with options: mounted for the first user, unmounted after the last one. Who uses them is in memory; what is mounted
 * is asked of the kernel, because mounts outlive the daemon.
 */
export class VolumeMounts {
  readonly #users = new Map<string, Set<string>>();
  readonly #waits = new MountWaits();
  readonly #locks = new KeyedMutex();
  readonly #mounts: Mounts;
  readonly #logger: Logger;
  readonly #mountAside: (plan: MountPlan) => Promise<void>;
  readonly #resolve: ResolveHost;

  constructor({ mounts, logger, mountAside = mountInWorker, resolve = firstAddress }: VolumeMountsOptions) {
    this.#mounts = mounts;
    this.#logger = logger;
    this.#mountAside = mountAside;
    this.#resolve = resolve;
  }

  /** @throws `internal` with docker's text (`error while mounting volume 'X': …`), `canceled` when given up; then the volume has no new user. */
  async mount(volume: Volume, user: string): Promise<void> {
    if (!needsMount(volume)) return;
    await this.#waits.run(volume, user, (isGivenUp) =>
      this.#locks.run(volume.name, async () => {
        if (isGivenUp()) return;
        if (!this.#isMounted(volume)) await this.#make(volume);
        if (isGivenUp()) this.#undo(volume);
        else this.#use(volume.name, user);
      }),
    );
  }

  /** @see MountWaits.giveUp */
  giveUp(user?: string): Disposable {
    return this.#waits.giveUp(user);
  }

  /** For whom the volume is being mounted, also when they do not wait for it any more. */
  waitersOf(name: string): string[] {
    return this.#waits.usersOf(name);
  }

  /** Ends a user. Where an unmount fails the user stays, so that it can be tried again. @throws the first failure. */
  async release(user: string, find: (name: string) => Volume | undefined): Promise<void> {
    const used = [...this.#users].filter(([, users]) => users.has(user));
    const releases = used.map(([name, users]) =>
      this.#locks.run(name, () => {
        const volume = find(name);
        if (volume && users.size === 1 && users.has(user)) this.unmount(volume);
        users.delete(user);
        if (users.size === 0 && this.#users.get(name) === users) this.#users.delete(name);
      }),
    );
    await settleAll(releases);
  }

  /** After a start of the daemon: whoever uses a volume keeps it, and what nobody uses is unmounted. */
  restore(users: ReadonlyMap<string, readonly string[]>, volumes: readonly Volume[]): void {
    for (const [user, names] of users) {
      for (const volume of volumes.filter(({ name }) => names.includes(name)).filter(needsMount))
        this.#use(volume.name, user);
    }
    for (const volume of volumes.filter(needsMount)) this.#undo(volume);
  }

  /** Of a mount that nobody wants; for an end that nobody waits for. */
  #undo(volume: Volume): void {
    if (this.#users.has(volume.name)) return;
    try {
      this.unmount(volume);
    } catch (error) {
      this.#logger.warn('unused volume not unmounted', { volume: volume.name, error: errorMessage(error) });
    }
  }

  /** Takes away all that is mounted at or below the volume. @throws what the kernel says. */
  unmount(volume: Volume): void {
    if (needsMount(volume)) this.clear(volume.mountpoint);
  }

  /** {@link unmount} at the place of a volume of which nothing is known. */
  clear(mountpoint: string): void {
    const isHere = ({ target }: MountInfo) => target === mountpoint || target.startsWith(`${mountpoint}/`);
    for (const { target } of this.#mounts.list().filter(isHere).reverse()) {
      this.#mounts.unmount(target, { detach: true });
    }
  }

  /** {@link unmount} for a volume that goes. The caller sees to it that it is not being mounted now. */
  forget(volume: Volume): void {
    this.unmount(volume);
    this.#users.delete(volume.name);
  }

  #isMounted({ mountpoint }: Volume): boolean {
    return this.#mounts.list().some(({ target }) => target === mountpoint);
  }

  #use(name: string, user: string): void {
    this.#users.set(name, (this.#users.get(name) ?? new Set<string>()).add(user));
  }

  async #make({ mountpoint, options }: Volume): Promise<void> {
    const fail = (reason: string) => volumeNotMounted(mountpoint, reason, options['o'] ?? '');
    if (!options['device']) throw fail(NO_DEVICE);
    const plan = await planMount(options, mountpoint, this.#resolve).catch((error) => {
      throw fail(`error resolving passed in network volume address: ${errorMessage(error)}`);
    });
    try {
      if (plan.maySleep) await this.#mountAside(plan);
      else performMount(this.#mounts, plan);
    } catch (error) {
      throw fail(`failed to mount local volume: ${errorMessage(error)}`);
    }
  }
}

const firstAddress: ResolveHost = async (host) => {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new Error(
      `lookup ${host}: ${errnoCode(error) === 'ENOTFOUND' ? 'no such host' : errorMessage(error)}`,
    );
  }
};
