import { effectiveLogging } from '../create/log-config.ts';
import type { Engine } from '../engine.ts';
import { logsNotReadable, logsOfDead, noStreams } from '../errors.ts';
import type { Container } from '../model.ts';
import { isAlive } from '../state.ts';
import type { LogOptions, OutputChunk } from '../types.ts';
import { logDetails } from './details.ts';
import { readLog } from './reader.ts';

/** A container's log, followed until `ended`: the end of its present run. Checks at once. @throws docker's texts. */
export function readContainerLog(
  engine: Engine,
  container: Container,
  options: LogOptions,
  ended = presentRun(engine, container),
): AsyncGenerator<OutputChunk[]> {
  if (!options.stdout && !options.stderr) throw noStreams();
  const { status } = container.state;
  if (status === 'dead' || status === 'removing') throw logsOfDead();
  if (container.logPath === '') throw logsNotReadable();
  const { config, logging } = effectiveLogging(container.hostConfig.logConfig, engine.defaults);
  if (!logging.isReadable) throw logsNotReadable();
  return readLog({ path: container.logPath, details: logDetails(container.config, config), ended }, options);
}

const presentRun = ({ instances }: Engine, { id, state }: Container): Promise<unknown> | undefined =>
  isAlive(state) ? instances.peek(id)?.runEnded : undefined;
