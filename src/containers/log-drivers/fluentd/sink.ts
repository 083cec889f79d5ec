import { createId, unavailable } from '#base';
import { timeToNs } from '../../logs/entry.ts';
import { extraAttributes } from '../info.ts';
import { logTag } from '../tag.ts';
import { StreamConnection } from '../transport/stream.ts';
import type { LogInfo, LogMessage, LogSink, SinkSettings } from '../types.ts';
import { EventTime, type Packable, pack, unpackTextMap } from './msgpack.ts';
import { type FluentdOptions, parseFluentdOptions } from './options.ts';

const NS_PER_S = 1_000_000_000n;

/**
 * Sends to fluentd or fluent-bit in forward mode: one array of entries for each batch. With `fluentd-request-ack` a
 * batch is delivered when the server says so, else when the kernel has it.
 * Source: Fluentd, Forward Protocol Specification v1.
 */
export function fluentdSink(info: LogInfo): SinkSettings {
  const options = parseFluentdOptions(info.config);
  const tag = logTag(info);
  const common = { container_id: info.containerId, container_name: `/${info.containerName}` };
  const record = recordMaker(common, extraAttributes(info));
  return {
    connect: (signal) => connect(options, tag, record, signal),
    retry: options.retry,
    ...(options.writeTimeoutMs > 0 ? { sendTimeoutMs: options.writeTimeoutMs } : {}),
  };
}

type MakeRecord = (message: LogMessage) => Packable;

function recordMaker(common: Record<string, string>, extra: Record<string, string>): MakeRecord {
  return ({ stream, line, partial }) => ({
    ...common,
    source: stream,
    log: line,
    ...extra,
    ...(partial
      ? {
          partial_message: 'true',
          partial_id: partial.id,
          partial_ordinal: String(partial.ordinal),
          partial_last: String(partial.last),
        }
      : {}),
  });
}

async function connect(
  options: FluentdOptions,
  tag: string,
  record: MakeRecord,
  signal: AbortSignal,
): Promise<LogSink> {
  const connection = await StreamConnection.open(options.target, signal);
  return {
    get isClosed() {
      return connection.isClosed;
    },
    close: () => connection.close(),
    send: async (messages) => {
      const entries = messages.map((message): Packable => [entryTime(message, options), record(message)]);
      const chunk = options.requestAck
        ? Buffer.from(createId().slice(0, 32), 'hex').toString('base64')
        : undefined;
      const option: Record<string, Packable> = { size: entries.length, ...(chunk ? { chunk } : {}) };
      await connection.write(pack([tag, entries, option]));
      if (chunk) await confirmed(connection, chunk);
      return messages.length;
    },
  };
}

function entryTime({ time }: LogMessage, { subSecondPrecision }: FluentdOptions): Packable {
  const ns = timeToNs(time) ?? 0n;
  return subSecondPrecision ? new EventTime(ns) : Number(ns / NS_PER_S);
}

/** Waits for the answer to a batch. @throws `unavailable` for any other answer. */
async function confirmed(connection: StreamConnection, chunk: string): Promise<void> {
  let data = await connection.peek(0);
  let answer = unpackTextMap(data);
  while (!answer) {
    data = await connection.peek(data.length);
    answer = unpackTextMap(data);
  }
  connection.take(answer.size);
  if (answer.map['ack'] !== chunk) throw unavailable('fluentd confirmed another batch');
}
