import type { ContainerDefaults } from '../defaults.ts';
import { type Logging, resolveLogging } from '../log-drivers/index.ts';
import type { LogConfig } from '../model.ts';

/**
 * Driver and options in effect, and what they mean: the daemon's options count only when the driver is the daemon's too.
 * @throws `invalid_argument` with docker's texts.
 */
export function effectiveLogging(
  given: LogConfig,
  defaults: Pick<ContainerDefaults, 'logDriver' | 'logOptions'>,
): { readonly config: LogConfig; readonly logging: Logging } {
  const type = given.type || defaults.logDriver;
  const inherited = type === defaults.logDriver ? defaults.logOptions : {};
  const config = { type, config: { ...inherited, ...given.config } };
  return { config, logging: resolveLogging(config) };
}
