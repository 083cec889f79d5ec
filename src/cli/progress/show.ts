import type { JSONMessage } from '#api';
import { formatBytes } from '#base';
import type { CliOutput } from '../core/context.ts';
import { cliError } from '../core/errors.ts';

interface ShowOptions {
  /** Only errors count. */
  readonly quiet?: boolean;
  /** Called for each message's `aux`. */
  readonly onAux?: (aux: unknown) => void;
}

const BAR_WIDTH = 50;
const NARROW_COLUMNS = 110;

/**
 * Shows a progress stream: on a terminal one line for each `id`, redrawn in place; otherwise one line for each message
 * without the moving bars.
 * @throws the error the stream carries.
 */
export async function showProgress(
  messages: AsyncIterable<JSONMessage>,
  out: CliOutput,
  options: ShowOptions = {},
): Promise<void> {
  const lines = new Map<string, number>();
  for await (const message of messages) {
    const failure = message.errorDetail?.message ?? message.error;
    if (failure !== undefined && failure !== '') throw cliError(failure);
    if (message.aux !== undefined) options.onAux?.(message.aux);
    const hasText = message.status !== undefined || message.stream !== undefined;
    if (hasText && !options.quiet) await showOne(message, out, lines);
  }
}

async function showOne(message: JSONMessage, out: CliOutput, lines: Map<string, number>): Promise<void> {
  const { id = '', stream } = message;
  if (!out.isTerminal) return await out.write(plainText(message));
  if (stream !== undefined) return await out.write(stream);
  const text = `${id === '' ? '' : `${id}: `}${message.status ?? ''}${progressText(message, out.size()?.columns)}`;
  if (id === '') {
    lines.clear();
    return await out.write(`${text}\n`);
  }
  const known = lines.get(id);
  if (known === undefined) {
    lines.set(id, lines.size);
    return await out.write(`${text}\n`);
  }
  const up = lines.size - known;
  await out.write(`\x1b[${up}A\x1b[2K\r${text}\x1b[${up}B\r`);
}

/** Moving bars are left out: in a log file they would be thousands of lines. */
function plainText({ id = '', stream, status = '', progressDetail }: JSONMessage): string {
  if (stream !== undefined) return stream;
  if (progressDetail?.current !== undefined && progressDetail.current > 0) return '';
  return `${id === '' ? '' : `${id}: `}${status}\n`;
}

function progressText({ progressDetail }: JSONMessage, columns = NARROW_COLUMNS + 1): string {
  const { current = 0, total = 0, units } = progressDetail ?? {};
  if (current <= 0) return '';
  const show = (value: number) => (units === undefined || units === '' ? formatBytes(value) : `${value}`);
  if (total <= 0) return ` ${show(current)}${units ?? ''}`;
  const done = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = `[${'='.repeat(done)}>${' '.repeat(Math.max(0, BAR_WIDTH - done))}] `;
  return ` ${columns > NARROW_COLUMNS ? bar : ''}${show(current)}/${show(total)}`;
}
