import type { LogMessage } from '../types.ts';

/** Empty: the form that local daemons read. */
export const SYSLOG_FORMATS = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'] as const;
export type SyslogFormat = (typeof SYSLOG_FORMATS)[number];

/** What all messages of a container have in common. */
export interface SyslogHeader {
  readonly facility: number;
  readonly format: SyslogFormat;
  readonly hostname: string;
  readonly tag: string;
  readonly pid: number;
  /** Put the length in front instead of relying on the newline (RFC 5425). */
  readonly countsBytes: boolean;
}

const SEVERITY = { stdout: 6, stderr: 3 } as const satisfies Record<LogMessage['stream'], number>;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const NEWLINE = Buffer.from('\n');

/** A message as it goes over the wire, in docker's forms but with the time at which the line was written. */
export function formatSyslog(header: SyslogHeader, message: LogMessage): Buffer {
  const priority = header.facility * 8 + SEVERITY[message.stream];
  const parts = [Buffer.from(headers[header.format](header, priority, message.time)), message.line];
  if (message.line.at(-1) !== NEWLINE[0]) parts.push(NEWLINE);
  const data = Buffer.concat(parts);
  return header.countsBytes ? Buffer.concat([Buffer.from(`${data.length} `), data]) : data;
}

type Head = (header: SyslogHeader, priority: number, time: string) => string;

const headers: Readonly<Record<SyslogFormat, Head>> = {
  '': ({ tag, pid }, priority, time) => `<${priority}>${stamp(time)} ${tag}[${pid}]: `,
  rfc3164: ({ hostname, tag, pid }, priority, time) =>
    `<${priority}>${stamp(time)} ${hostname} ${tag}[${pid}]: `,
  rfc5424: (header, priority, time) => structured(header, priority, localTime(time, '')),
  rfc5424micro: (header, priority, time) => structured(header, priority, localTime(time, micros(time))),
};

/** The tag stands for the program's name as well: daemons that write by RFC 3164 show that one. */
const structured = ({ hostname, tag, pid }: SyslogHeader, priority: number, time: string): string =>
  `<${priority}>1 ${time} ${hostname} ${tag} ${pid} ${tag} - `;

/** `Jan  2 15:04:05` in local time. */
function stamp(time: string): string {
  const at = new Date(time);
  return `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clockTime(at)}`;
}

/** RFC 3339 in local time. */
function localTime(time: string, fraction: string): string {
  const at = new Date(time);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${clockTime(at)}${fraction}${zone(-at.getTimezoneOffset())}`;
}

const clockTime = (at: Date): string =>
  `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

/** Always six decimals. */
function micros(time: string): string {
  const digits = /\.(\d+)/.exec(time)?.[1] ?? '';
  return `.${digits.slice(0, 6).padEnd(6, '0')}`;
}

function zone(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z';
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
