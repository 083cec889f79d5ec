import { formatLogTime } from '../../logs/entry.ts';
import { extraAttributes } from '../info.ts';
import { logTag } from '../tag.ts';
import type { LogInfo, LogMessage } from '../types.ts';

/** Fields of a journal entry, in order. */
export type JournalFields = readonly (readonly [name: string, value: string | Buffer])[];

const PRIORITY = { stdout: '6', stderr: '3' } as const satisfies Record<LogMessage['stream'], string>;
const SHORT_ID = 12;

/** What all entries of a container have in common. `epoch` tells the runs of a forwarder apart. */
export function containerFields(info: LogInfo, epoch: string): JournalFields {
  const tag = logTag(info);
  const fields = {
    CONTAINER_ID: info.containerId.slice(0, SHORT_ID),
    CONTAINER_ID_FULL: info.containerId,
    CONTAINER_NAME: info.containerName,
    CONTAINER_TAG: tag,
    IMAGE_NAME: info.imageName,
    SYSLOG_IDENTIFIER: tag,
    CONTAINER_LOG_EPOCH: epoch,
    ...extraAttributes(info, journalFieldName),
  };
  return Object.entries(fields).filter(([name]) => name !== '');
}

/** The fields of one message. `ordinal` counts the messages of an epoch from 1. */
export function messageFields(message: LogMessage, ordinal: number): JournalFields {
  const { stream, time, line, partial } = message;
  const fields: [string, string | Buffer][] = [
    ['MESSAGE', line],
    ['PRIORITY', PRIORITY[stream]],
    ['SYSLOG_TIMESTAMP', formatLogTime(time).replace(/\.?0+Z$/, 'Z')],
    ['CONTAINER_LOG_ORDINAL', String(ordinal)],
  ];
  if (partial) {
    fields.push(
      ['CONTAINER_PARTIAL_ID', partial.id],
      ['CONTAINER_PARTIAL_ORDINAL', String(partial.ordinal)],
      ['CONTAINER_PARTIAL_LAST', String(partial.last)],
    );
    if (!partial.last) fields.push(['CONTAINER_PARTIAL_MESSAGE', 'true']);
  }
  return fields;
}

/** Upper case, digits and underscores, none in front; may come out empty. Source: moby `journald.go`. */
export const journalFieldName = (key: string): string =>
  key
    .replace(/[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/[^A-Z0-9]/gu, '_')
    .replace(/^_+/, '');

const NEWLINE = 0x0a;

/**
 * An entry in journald's native protocol: `NAME=value`, and for values with a newline the name alone, the length in
 * eight bytes (little endian) and the value. Source: systemd, JOURNAL_NATIVE_PROTOCOL.
 */
export function encodeJournalEntry(fields: JournalFields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => encodeField(name, Buffer.from(value))));
}

function encodeField(name: string, value: Buffer): Buffer[] {
  if (!value.includes(NEWLINE)) return [Buffer.from(`${name}=`), value, Buffer.from('\n')];
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return [Buffer.from(`${name}\n`), length, value, Buffer.from('\n')];
}
