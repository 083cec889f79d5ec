import { effectiveLogging } from '../create/log-config.ts';
import type { Engine } from '../engine.ts';
import { logsNotReadable, logsOfDead, noStreams } from '../errors.ts';
import type { Container } from '../model.ts';
import { isAlive } from '../state.ts';
import type { LogOptions, OutputChunk } from '../types.ts';
import { logDetails } from './details.ts';
import { readLog } from './reader.ts';

/** A container's log. Checks at once. @throws docker's texts. */
export function readContainerLog(
  engine: Engine,
  container: Container,
  options: LogOptions,
): AsyncGenerator<OutputChunk> {
  if (!options.stdout && !options.stderr) throw noStreams();
  const { status } = container.state;
  if (status === 'dead' || status === 'removing') throw logsOfDead();
  if (container.logPath === '') throw logsNotReadable();
  const { config, logging } = effectiveLogging(container.hostConfig.logConfig, engine.defaults);
  if (!logging.isReadable) throw logsNotReadable();
  const ended = isAlive(container.state) ? engine.instances.peek(container.id)?.runEnded : undefined;
  return readLog({ path: container.logPath, details: logDetails(container.config, config), ended }, options);
}
