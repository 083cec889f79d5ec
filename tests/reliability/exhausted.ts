import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon, type TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, clientEnvironment, must, type Result, run } from '../harness/programs.ts';
import { call } from './api.ts';
import { footprintOf } from './figures.ts';

export interface ExhaustedReport {
  /** What the engine said to the user when it could not do something. */
  readonly refusals: readonly string[];
  readonly problems: readonly string[];
}

/** A daemon whose data root is a small file system of its own. */
interface SmallDisk extends AsyncDisposable {
  readonly daemon: TestDaemon;
  /** Takes all space or all inodes. */
  exhaust(): void;
  release(): void;
}

export type Resource = 'space' | 'inodes';

const RUNNING = 'echo up; while :; do echo tick; sleep 0.05; done';

/**
 * With no space (or no inodes) left on the data root: what runs goes on, everything that reads works, what has to write is
 * refused with a reason and leaves nothing half-made, and stopping and removing work. With space again all is well.
 */
export async function fillDisk(client: Client, resource: Resource): Promise<ExhaustedReport> {
  await using disk = await startOnSmallDisk(client, resource);
  const { host } = disk.daemon;
  const checks = new Checks(client, host);
  const name = 'survivor';
  await must(client, ['run', '-d', '--name', name, 'busybox', 'sh', '-c', RUNNING], { host });
  await must(client, ['run', '--name', 'ended', 'busybox', 'echo', 'said'], { host });
  await must(client, ['run', '-d', '--name', 'restarted', 'busybox', 'sleep', '1000'], { host });
  const images = await must(client, ['save', 'busybox'], { host }).then((text) => text.length);
  disk.exhaust();

  await checks.works('ps', ['ps', '-a', '--format', '{{.Names}}'], 'survivor');
  await checks.works('inspect', ['inspect', '-f', '{{.State.Running}}', name], 'true');
  await checks.works('info', ['info', '-f', '{{.ContainersRunning}}'], '2');
  await checks.works('logs', ['logs', 'ended'], 'said');
  await checks.works('exec', ['exec', name, 'echo', 'here'], 'here');
  await checks.works('images', ['images', '--format', '{{.Repository}}'], 'busybox');
  if (images === 0) checks.problems.push('nothing was saved');
  for (let turn = 0; turn < 5; turn += 1) {
    await checks.refusedOrWorks('create', ['create', '--name', `late${turn}`, 'busybox', 'true']);
    await checks.refusedOrWorks('run', ['run', '--name', `ran${turn}`, 'busybox', 'true']);
    await checks.refusedOrWorks('import', ['import', '-', `copy${turn}`], `${import.meta.dir}/exhausted.ts`);
    await checks.refusedOrWorks('volume', ['volume', 'create', `volume${turn}`]);
  }
  for (const left of readdirSync(join(disk.daemon.dataRoot, 'content/ingest')))
    checks.problems.push(`left of what was refused: content/ingest/${left}`);
  await checks.works('ps after the refusals', ['ps', '--format', '{{.Names}}'], 'survivor');
  await checks.works('kill', ['kill', 'restarted'], 'restarted');
  await eventually('the end of the killed one', async () => {
    const { stdout } = await run(
      client,
      ['inspect', '-f', '{{.State.Running}} {{.State.ExitCode}}', 'restarted'],
      { host },
    );
    return stdout.trim() === 'false 137';
  }).catch((error: Error) => checks.problems.push(error.message));
  await checks.works('rm', ['rm', 'ended'], 'ended');
  // A daemon that dies now has to start again.
  await disk.daemon.crash();
  await disk.daemon
    .restart()
    .catch((error: Error) => checks.problems.push(`restart on the full disk: ${error.message}`));
  await checks.works('ps after a restart on the full disk', ['ps', '--format', '{{.Names}}'], 'survivor');

  disk.release();
  await checks.works('run with room again', ['run', '--rm', 'busybox', 'echo', 'here'], 'here');
  await checks.works('start', ['start', 'restarted'], 'restarted');
  const names = (await must(client, ['ps', '-a', '--format', '{{.Names}} {{.Status}}'], { host })).split(
    '\n',
  );
  for (const line of names.filter((each) => !/^(survivor|restarted|late\d|ran\d) /.test(each)))
    checks.problems.push(`half-made: ${line}`);
  await must(client, ['rm', '-f', ...names.map((line) => line.split(' ')[0] ?? '')], { host });
  return checks.report();
}

/** The first line without names that differ each time. */
const wordsOf = (stderr: string): string =>
  (stderr.split('\n')[0] ?? '')
    .replace(/^gantry: /, '')
    .replaceAll(/anonymous-[0-9a-f-]+|[0-9a-f]{12,64}/g, 'ID')
    .replaceAll(/\/(tmp|run)\/gantry-test-[^/']+/g, 'ROOT')
    .replaceAll(/"\/?[a-z]+_[a-z0-9]+"|container [a-z]+_[a-z]+/g, 'NAME')
    .replaceAll(/(copy|volume|ran|late)\d/g, '$1N');

class Checks {
  readonly problems: string[] = [];
  readonly #refusals = new Set<string>();
  readonly #client: Client;
  readonly #host: string;

  constructor(client: Client, host: string) {
    this.#client = client;
    this.#host = host;
  }

  async works(what: string, args: readonly string[], expected: string): Promise<void> {
    const { code, stdout, stderr } = await this.#run(args);
    if (code !== 0 || !stdout.includes(expected)) this.problems.push(`${what}: ${code} ${stdout}${stderr}`);
  }

  /** A refusal names what is lacking. */
  async refusedOrWorks(what: string, args: readonly string[], stdin?: string): Promise<void> {
    const { code, stderr } = await this.#run(args, stdin);
    if (code === 0) return;
    const said = stderr.split('\n')[0] ?? '';
    this.#refusals.add(`${what}: ${wordsOf(stderr)}`);
    if (!/no space left|ENOSPC|database or disk is full|too many open files|EMFILE|disk I\/O/i.test(said))
      this.problems.push(`${what}: an unclear refusal: ${stderr}`);
  }

  /** What a client that may fail has said. */
  noteRefusal({ code, stdout, stderr }: Result): void {
    // An exec that cannot start says why in its output.
    if (code !== 0) this.#refusals.add(wordsOf(stderr || stdout));
  }

  async #run(args: readonly string[], stdin?: string): Promise<Result> {
    const input = stdin === undefined ? {} : { stdin: Bun.file(stdin) };
    return await run(this.#client, args, { host: this.#host, ...input });
  }

  report(): ExhaustedReport {
    return { refusals: [...this.#refusals], problems: this.problems };
  }
}

const DISK_BYTES = 48 * 1024 * 1024;
const INODES = 700;

/** The daemon is started twice: only then there is a directory to mount on. */
async function startOnSmallDisk(client: Client, resource: Resource): Promise<SmallDisk> {
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-test-disk-'));
  const image = join(scratch, 'disk');
  const sh = (...command: string[]): void => {
    const { exitCode, stderr } = Bun.spawnSync(command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  };
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(scratch, { recursive: true, force: true }));
  const inodes = resource === 'inodes' ? ['-N', String(INODES)] : [];
  sh('truncate', '-s', String(DISK_BYTES), image);
  sh('mkfs.ext4', '-q', '-m', '0', ...inodes, image);
  const daemon = await startDaemon();
  // Ends the daemon and its directories; before that the disk has to go.
  undo.use(daemon);
  await daemon.stop();
  sh('mount', '-o', 'loop', image, daemon.dataRoot);
  undo.defer(async () => {
    await removeAll(client, daemon.host);
    await daemon.stop();
    sh('umount', daemon.dataRoot);
  });
  const filler = join(daemon.dataRoot, 'filler');
  undo.defer(() => rmSync(filler, { recursive: true, force: true }));
  await daemon.restart();
  await must(client, ['image', 'bootstrap', 'busybox'], { host: daemon.host });
  const all = undo.move();
  return {
    daemon,
    exhaust: () => (resource === 'space' ? takeSpace(filler) : takeInodes(filler)),
    release: () => rmSync(filler, { recursive: true, force: true }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function removeAll(client: Client, host: string): Promise<void> {
  const { stdout } = await run(client, ['ps', '-aq'], { host });
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await run(client, ['rm', '-f', ...ids], { host });
}

function takeSpace(filler: string): void {
  // Ends with "no space left", which is what is wanted.
  Bun.spawnSync(['dd', 'if=/dev/zero', `of=${filler}`, 'bs=64k', `count=${DISK_BYTES / 65_536}`]);
  Bun.spawnSync(['sh', '-c', `head -c 65536 /dev/zero >> ${filler}`]);
  if (statfsSync(filler).bavail > 16) throw new Error('the disk is not full');
}

function takeInodes(filler: string): void {
  Bun.spawnSync(['mkdir', filler]);
  try {
    for (let index = 0; index <= INODES; index += 1) writeFileSync(join(filler, String(index)), '');
  } catch {
    // Full, as wanted.
  }
  if (readdirSync(filler).length > INODES) throw new Error('there are inodes left');
}

/**
 * Takes the daemon's descriptors away: requests are refused with the reason or wait, what runs goes on, and when there are
 * descriptors again everything works, every client gets its answer, `--rm` containers go by themselves and nothing has leaked.
 */
export async function takeDescriptors(daemon: TestDaemon, client: Client): Promise<ExhaustedReport> {
  const { host, pid } = daemon;
  const checks = new Checks(client, host);
  const limit = (count: number | string): void =>
    void Bun.spawnSync(['prlimit', '--pid', String(pid), `--nofile=${count}:`]);
  const id = await must(client, ['run', '-d', 'busybox', 'sh', '-c', RUNNING], { host });
  const before = footprintOf(pid);
  for (const spare of [2, 8, 16]) {
    limit(before.files + spare);
    const clients = [
      ...Array.from({ length: 6 }, () => runBounded(client, ['run', '--rm', 'busybox', 'true'], host)),
      ...Array.from({ length: 4 }, () => runBounded(client, ['exec', id, 'true'], host)),
    ];
    // What waits for a descriptor gets one then; nobody may wait for ever.
    await Promise.race([Promise.all(clients), Bun.sleep(WITHOUT_MS)]);
    limit(4096);
    for (const result of await Promise.all(clients)) {
      checks.noteRefusal(result);
      if (result.code > 128) checks.problems.push(`a client got no answer with ${spare} spare descriptors`);
    }
    await checks.works(`ps after ${spare} spare descriptors`, ['ps', '-q', '--no-trunc'], id);
    await checks.works(
      `run after ${spare} spare descriptors`,
      ['run', '--rm', 'busybox', 'echo', 'here'],
      'here',
    );
    await checks.works(`exec after ${spare} spare descriptors`, ['exec', id, 'echo', 'here'], 'here');
  }
  // What could not be removed then is removed now, by itself. One whose client was refused before its start stays.
  await eventually('what could not be removed to go', async () => {
    const { text } = await call(host, 'GET', '/containers/json?all=1');
    const all = JSON.parse(text) as { readonly Id: string; readonly State: string }[];
    const left = all.filter(({ Id, State }) => Id !== id && State !== 'created');
    if (left.length > 0) throw new Error(left.map(({ Id, State }) => `${Id} ${State}`).join(', '));
    return true;
  }).catch((error: Error) => checks.problems.push(error.message));
  const made = (await must(client, ['ps', '-aq', '--no-trunc'], { host })).split('\n');
  const rest = made.filter((other) => other !== '' && other !== id);
  if (rest.length > 0) await checks.works('rm of what never started', ['rm', ...rest], rest[0] ?? '');
  await eventually('the descriptors to come back', () => footprintOf(pid).files <= before.files + 4).catch(
    () => checks.problems.push(`descriptors leaked: ${before.files} before, ${footprintOf(pid).files} after`),
  );
  await must(client, ['rm', '-f', id], { host });
  return checks.report();
}

/** How long the daemon goes without. */
const WITHOUT_MS = 4000;
/** Long enough for every answer there is; a client that waits for what never comes is ended here. */
const CLIENT_MS = 40_000;

async function runBounded(client: Client, args: readonly string[], host: string): Promise<Result> {
  const child = Bun.spawn([client.path, ...args], {
    env: clientEnvironment({ host }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), CLIENT_MS);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  return { code, stdout, stderr };
}
