import { errorMessage } from '#base';
import { errnoText, type Mounts, MS_REC, SysError } from '#sys';
import type { MountCall, MountPlan, MountStep } from './mount-plan.ts';

/** The kernel reads no more than a page of options, and would go on without the rest. */
const DATA_BYTES = 4096;

/** Mounts, or leaves nothing mounted. @throws `mount DEVICE:TARGET, flags: 0x1, data: X: REASON` as docker's. */
export function performMount(mounts: Pick<Mounts, 'mount' | 'bind' | 'unmount'>, { steps }: MountPlan): void {
  let isMounted = false;
  for (const step of steps) {
    try {
      checkLength(step.call);
      carryOut(mounts, step);
      isMounted = true;
    } catch (error) {
      if (isMounted) mounts.unmount(step.call.target, { detach: true });
      throw new Error(`${describe(step)}: ${reasonOf(error)}`, { cause: error });
    }
  }
}

function carryOut(mounts: Pick<Mounts, 'mount' | 'bind'>, { call, isFollower }: MountStep): void {
  const { source = '', target, flags = 0 } = call;
  if (isFollower) mounts.bind(source, target, { recursive: (flags & MS_REC) !== 0, slave: true });
  else mounts.mount(call);
}

function checkLength({ data = '' }: MountCall): void {
  if (Buffer.byteLength(data) >= DATA_BYTES) throw new SysError('E2BIG', 'mount');
}

function describe({ op, call: { source, target, flags = 0, data } }: MountStep): string {
  const what = source ? `${source}:${target}` : target;
  return `${op} ${what}${flags === 0 ? '' : `, flags: 0x${flags.toString(16)}`}${data ? `, data: ${data}` : ''}`;
}

const reasonOf = (error: unknown): string =>
  error instanceof SysError ? errnoText(error.errno) : errorMessage(error);
