import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';
import { cliError } from '../core/errors.ts';
import { parseRestartPolicy } from './create/host-config.ts';

/** Changes limits and restart policy of containers. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {
    'blkio-weight': { type: 'uint16', summary: 'Relative block I/O weight, 10 to 1000; 0 turns it off' },
    'cpu-period': { type: 'int64', summary: 'Length of a CFS period, in microseconds' },
    'cpu-quota': { type: 'int64', summary: 'CPU time within each CFS period, in microseconds' },
    'cpu-rt-period': { type: 'int64', summary: 'Length of a real-time period, in microseconds' },
    'cpu-rt-runtime': { type: 'int64', summary: 'Real-time CPU time within each period, in microseconds' },
    'cpu-shares': { type: 'int64', short: 'c', summary: 'Relative share of CPU time' },
    cpus: { type: 'decimal', summary: 'How many CPUs it may use, such as 1.5' },
    'cpuset-cpus': { type: 'string', summary: 'CPUs it may run on (0-3, 0,1)' },
    'cpuset-mems': { type: 'string', summary: 'Memory nodes it may use (0-3, 0,1)' },
    'kernel-memory': { type: 'bytes', summary: 'Kernel memory limit', hidden: true },
    memory: { type: 'bytes', short: 'm', summary: 'Memory limit' },
    'memory-reservation': { type: 'bytes', summary: 'Memory it is pushed back to when memory is short' },
    'memory-swap': { type: 'memswap', summary: "Limit of memory and swap together: '-1' for unlimited swap" },
    'pids-limit': { type: 'int64', summary: 'Limit of processes and threads (-1 for unlimited)' },
    restart: { type: 'string', summary: 'What to do when it exits' },
  },
  async run({ args, flags, changed }, ctx) {
    if (changed.size === 0) throw cliError('you must provide one or more flags when using this command');
    const body = {
      BlkioWeight: flags['blkio-weight'],
      CpuShares: flags['cpu-shares'],
      NanoCpus: flags.cpus,
      CpuPeriod: flags['cpu-period'],
      CpuQuota: flags['cpu-quota'],
      CpuRealtimePeriod: flags['cpu-rt-period'],
      CpuRealtimeRuntime: flags['cpu-rt-runtime'],
      CpusetCpus: flags['cpuset-cpus'],
      CpusetMems: flags['cpuset-mems'],
      Memory: flags.memory,
      MemoryReservation: flags['memory-reservation'],
      MemorySwap: flags['memory-swap'],
      ...(changed.has('pids-limit') && { PidsLimit: flags['pids-limit'] }),
      RestartPolicy:
        flags.restart === '' ? { Name: '', MaximumRetryCount: 0 } : parseRestartPolicy(flags.restart),
    };
    const client = await ctx.client();
    const warnings: string[] = [];
    await forEachName(ctx, args, async (name) => {
      const result = await client.containers.update(name, body);
      warnings.push(...(result.Warnings ?? []));
      return name;
    });
    if (warnings.length > 0) await ctx.stderr.write(`${warnings.join('\n')}\n`);
    return undefined;
  },
});
