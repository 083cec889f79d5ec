import { RLIM_INFINITY } from '../constants.ts';
import { SysError } from '../errors.ts';
import type { Processes, RlimitName } from '../types.ts';

const PIDFD_BASE = 1_000_000;
const SIGKILL = 9;

/** Processes that exist only as numbers. SIGKILL ends them. */
export class FakeProcesses implements Processes {
  /** PIDs that exist. Tests add to it. */
  readonly alive = new Set<number>();
  /** The effective capabilities to report. */
  capabilities: string[] = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'];
  readonly #limits = new Map<RlimitName, { soft: bigint; hard: bigint }>();
  #umask = 0o022;

  pidfdOpen(pid: number): number {
    if (!this.alive.has(pid)) throw new SysError('ESRCH', 'pidfd_open', `pid ${pid}`);
    return PIDFD_BASE + pid;
  }

  pidfdSignal(pidfd: number, signal: number): boolean {
    return this.kill(pidfd - PIDFD_BASE, signal);
  }

  kill(pid: number, signal: number): boolean {
    if (signal === SIGKILL) return this.alive.delete(pid);
    return this.alive.has(pid);
  }

  hasExited(pidfd: number): boolean {
    return !this.alive.has(pidfd - PIDFD_BASE);
  }

  getRlimit(resource: RlimitName): { readonly soft: bigint; readonly hard: bigint } {
    return this.#limits.get(resource) ?? { soft: 1024n, hard: RLIM_INFINITY };
  }

  setRlimit(resource: RlimitName, limit: { readonly soft: bigint; readonly hard: bigint }): void {
    this.#limits.set(resource, { ...limit });
  }

  effectiveCapabilities(): string[] {
    return [...this.capabilities];
  }

  setSubreaper(): void {
    // Nothing is ever reparented to the fake.
  }

  umask(mask: number): number {
    const former = this.#umask;
    this.#umask = mask;
    return former;
  }

  releaseProgramPages(): void {}

  closeFd(): void {
    // Its descriptors are only numbers.
  }
}
