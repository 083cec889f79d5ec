import type { HealthConfig } from '#api';
import { cliError } from '../../core/errors.ts';
import type { CreateFlags } from './flags.ts';

/** The health check of the flags; undefined leaves the image's alone. @throws docker's texts. */
export function toHealthcheck(flags: CreateFlags): HealthConfig | undefined {
  const { 'health-cmd': cmd, 'health-retries': retries } = flags;
  const timings = {
    Interval: flags['health-interval'],
    Timeout: flags['health-timeout'],
    StartPeriod: flags['health-start-period'],
    StartInterval: flags['health-start-interval'],
  };
  const any = cmd !== '' || retries !== 0 || Object.values(timings).some((value) => value !== 0);
  if (flags['no-healthcheck']) {
    if (any) throw cliError('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!any) return undefined;
  checkTiming('--health-interval', timings.Interval);
  checkTiming('--health-timeout', timings.Timeout);
  checkTiming('--health-start-period', timings.StartPeriod);
  checkTiming('--health-start-interval', timings.StartInterval);
  if (retries < 0) throw cliError('--health-retries cannot be negative');
  const set = Object.entries({ ...timings, Retries: retries }).filter(([, value]) => value !== 0);
  return { ...(cmd !== '' && { Test: ['CMD-SHELL', cmd] }), ...Object.fromEntries(set) };
}

function checkTiming(flag: string, ns: number): void {
  if (ns < 0) throw cliError(`${flag} cannot be negative`);
}
