import { readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second for everybody (proc(5), USER_HZ). */
const MS_PER_TICK = 10;

/** Processor time that the machine spends while `action` runs, whoever it is for, divided by `count`. */
export async function processorMsPer(count: number, action: () => Promise<unknown>): Promise<number> {
  const before = busyTicks();
  await action();
  return ((busyTicks() - before) * MS_PER_TICK) / count;
}

/** user, nice, system, irq, softirq and steal of all processors; idle and waiting for disks left out. */
function busyTicks(): number {
  const fields =
    readFileSync('/proc/stat', 'utf8').split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return user + nice + system + irq + softirq + steal;
}
