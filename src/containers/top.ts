import { internal, invalidArgument, withDeadline } from '#base';
import type { Engine } from './engine.ts';
import { isRestarting, notRunning } from './errors.ts';
import { isAlive } from './state.ts';

const DEFAULT_ARGS = '-ef';
const PS_DEADLINE_MS = 10_000;

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/** The processes of a container as the host's `ps` shows them. @throws docker's texts. */
export async function top(engine: Engine, ref: string, psArgs: string | undefined): Promise<ProcessTable> {
  const args = psArgs || DEFAULT_ARGS;
  checkPsArgs(args);
  const container = engine.registry.resolve(ref);
  if (container.state.status === 'restarting') throw isRestarting(container.id);
  const task = engine.instances.peek(container.id)?.task;
  if (!isAlive(container.state) || !task) throw notRunning(container.id);
  const pids = task.processes();
  const words = args.split(/\s+/).filter(Boolean);
  // Some options, of sorting for one, do not go together with a choice of processes.
  const output = await runPs([...words, `-q${pids.join(',')}`]).catch(() => runPs(words));
  engine.events.publish(container, 'top');
  return parsePs(output, new Set(pids));
}

/** A renamed PID column could make other processes look like the container's. */
function checkPsArgs(args: string): void {
  for (const [, key, value] of args.matchAll(/\s*(\S+)=(\S*)/g)) {
    const column = key?.replace(/^.*,/, '');
    if (column !== 'pid' && value?.toUpperCase() === 'PID') {
      throw invalidArgument(`specifying "${key}=${value}" is not allowed`);
    }
  }
}

async function runPs(args: readonly string[]): Promise<string> {
  const ps = Bun.spawn(['ps', ...args], { stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' });
  const done = Promise.all([new Response(ps.stdout).text(), new Response(ps.stderr).text(), ps.exited]);
  try {
    const [output, errors, code] = await withDeadline(done, PS_DEADLINE_MS, 'ps');
    if (code !== 0) throw internal(`ps: ${errors.trim().split('\n')[0] ?? `exit code ${code}`}`);
    return output;
  } finally {
    ps.kill();
  }
}

/** Columns by the header; the last one takes the rest of the line. Only rows of `pids`. */
export function parsePs(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = '', ...lines] = output.split('\n').filter((line) => line.trim() !== '');
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf('PID');
  if (pidColumn < 0) throw internal("Couldn't find PID field in ps output");
  const rows = lines.map((line) => {
    const fields = line.trim().split(/\s+/);
    const last = fields.slice(titles.length - 1).join(' ');
    return [...fields.slice(0, titles.length - 1), last];
  });
  return { titles, processes: rows.filter((row) => pids.has(Number(row[pidColumn]))) };
}
