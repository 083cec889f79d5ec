import { readFile } from 'node:fs/promises';
import { errorMessage, unavailable } from '#base';
import { logTag } from '../tag.ts';
import { type DatagramConnection, openUdp, openUnixDatagram } from '../transport/datagram.ts';
import { StreamConnection, type StreamTarget, type StreamTls } from '../transport/stream.ts';
import type { LogInfo, LogMessage, LogSink, SinkHost, SinkSettings } from '../types.ts';
import { formatSyslog, type SyslogHeader } from './format.ts';
import { parseSyslogOptions, type SyslogAddress } from './options.ts';

const LOCAL_SOCKETS = ['/dev/log', '/var/run/syslog', '/var/run/log'] as const;

/** Sends to a syslog daemon. Over TCP a message counts as delivered when the kernel has it, over UDP when it is sent. */
export function syslogSink(info: LogInfo, host: SinkHost): SinkSettings {
  const { address, facility, format } = parseSyslogOptions(info.config);
  const header: SyslogHeader = {
    facility,
    format,
    hostname: host.hostname,
    pid: host.pid,
    tag: logTag(info),
    countsBytes: address.kind === 'tcp+tls' && format.startsWith('rfc5424'),
  };
  return { connect: (signal) => connect(address, header, { info, host, signal }) };
}

interface Surroundings {
  readonly info: LogInfo;
  readonly host: SinkHost;
  readonly signal: AbortSignal;
}

async function connect(
  address: SyslogAddress,
  header: SyslogHeader,
  { info, host, signal }: Surroundings,
): Promise<LogSink> {
  switch (address.kind) {
    case 'local':
      return await connectLocal(header, host, signal);
    case 'unixgram':
      return datagramSink(openUnixDatagram(host.sockets, address.path), header);
    case 'udp':
      return datagramSink(await openUdp(address.host, address.port, signal), header);
    case 'unix':
      return await streamSink({ kind: 'unix', path: address.path }, header, signal);
    case 'tcp':
      return await streamSink({ ...address, kind: 'tcp' }, header, signal);
    case 'tcp+tls':
      return await streamSink({ ...address, kind: 'tcp', tls: await readTls(info.config) }, header, signal);
  }
}

/** The first socket on which somebody listens, datagrams first. */
async function connectLocal(header: SyslogHeader, host: SinkHost, signal: AbortSignal): Promise<LogSink> {
  const paths = host.syslogSockets ?? LOCAL_SOCKETS;
  const reasons: string[] = [];
  for (const path of paths) {
    try {
      return datagramSink(openUnixDatagram(host.sockets, path), header);
    } catch (error) {
      reasons.push(errorMessage(error));
    }
  }
  for (const path of paths) {
    try {
      return await streamSink({ kind: 'unix', path }, header, signal);
    } catch (error) {
      reasons.push(errorMessage(error));
    }
  }
  throw unavailable('Unix syslog delivery error', { cause: new Error(reasons.join('; ')) });
}

async function readTls(options: LogInfo['config']): Promise<StreamTls> {
  const read = async (option: string, key: 'ca' | 'cert' | 'key') => {
    const path = options[option];
    return path ? { [key]: await readFile(path, 'utf8') } : {};
  };
  return {
    ...(await read('syslog-tls-ca-cert', 'ca')),
    ...(await read('syslog-tls-cert', 'cert')),
    ...(await read('syslog-tls-key', 'key')),
    // Its presence counts, whatever the value: docker's rule.
    skipVerify: options['syslog-tls-skip-verify'] !== undefined,
  };
}

function datagramSink(connection: DatagramConnection, header: SyslogHeader): LogSink {
  return {
    get isClosed() {
      return connection.isClosed;
    },
    close: () => connection.close(),
    send: async (messages, signal) => {
      const count = leadingEmpty(messages);
      if (count > 0) return count;
      // Up to the next empty line, so that the count of datagrams is one of messages.
      const end = messages.findIndex(({ line }) => line.length === 0);
      const batch = end < 0 ? messages : messages.slice(0, end);
      return await connection.send(
        batch.map((message) => formatSyslog(header, message)),
        signal,
      );
    },
  };
}

/** Docker does not send empty lines to syslog. */
function leadingEmpty(messages: readonly LogMessage[]): number {
  const first = messages.findIndex(({ line }) => line.length > 0);
  return first < 0 ? messages.length : first;
}

async function streamSink(target: StreamTarget, header: SyslogHeader, signal: AbortSignal): Promise<LogSink> {
  const connection = await StreamConnection.open(target, signal);
  return {
    get isClosed() {
      return connection.isClosed;
    },
    close: () => connection.close(),
    send: async (messages) => {
      const sendable = messages.filter(({ line }) => line.length > 0);
      await connection.write(Buffer.concat(sendable.map((message) => formatSyslog(header, message))));
      return messages.length;
    },
  };
}
