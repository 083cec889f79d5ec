import { existsSync } from 'node:fs';
import { createId } from '#base';
import { journaldMissing } from '../errors.ts';
import { openUnixDatagram } from '../transport/datagram.ts';
import type { LogInfo, LogSink, SinkHost, SinkSettings } from '../types.ts';
import { containerFields, encodeJournalEntry, messageFields } from './entry.ts';

const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** Sends to the machine's journal. */
export function journaldSink(info: LogInfo, host: SinkHost): SinkSettings {
  const common = containerFields(info, createId());
  let delivered = 0;
  const connect = async (): Promise<LogSink> => {
    const path = host.journalSocket ?? JOURNAL_SOCKET;
    if (!existsSync(path)) throw journaldMissing();
    const connection = openUnixDatagram(host.sockets, path);
    return {
      get isClosed() {
        return connection.isClosed;
      },
      close: () => connection.close(),
      send: async (messages, signal) => {
        const entries = messages.map((message, index) =>
          encodeJournalEntry([...messageFields(message, delivered + index + 1), ...common]),
        );
        const count = await connection.send(entries, signal);
        delivered += count;
        return count;
      },
    };
  };
  return { connect };
}
