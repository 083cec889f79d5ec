import {
  closeSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '#base';
import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, clientEnvironment, must, run } from '../harness/programs.ts';
import { callJson } from './api.ts';
import { cutPower } from './restart-storm.ts';

export type Damage = 'emptied' | 'cut in half' | 'garbled' | 'removed';

export interface DamagedStateReport {
  /** Files damaged, each in every way asked for. */
  readonly cases: number;
  /** Cases after which the daemon's log named the file. */
  readonly told: number;
  /** Cases after which the daemon's log did not name the file, except those of {@link NOT_READ}. */
  readonly silent: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Damages each kind of state file in turn while no daemon runs. The next daemon has to start, answer, run a new container
 * (of an image that is whole) and remove what is left of the old ones; what it cannot use it sets aside. R10.
 *
 * Files of the data root are damaged in a copy of one prepared root; files of the execution root beside a container that
 * runs.
 */
export async function damageState(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly damages: readonly Damage[];
  /** Only every n-th combination; 1 is all. */
  readonly every: number;
  readonly onProgress?: (done: number) => void;
}): Promise<DamagedStateReport> {
  const scene = new Scene(options.daemon, options.client);
  const report = { cases: 0, told: 0, silent: [] as string[], problems: [] as string[] };
  const play = async (files: readonly string[], isLive: boolean): Promise<void> => {
    const cases = files.flatMap((file) => options.damages.map((damage) => ({ file, damage })));
    for (const { file, damage } of cases.filter((_, index) => index % options.every === 0)) {
      try {
        const outcome = await scene.play(file, damage, isLive);
        // What the last start made and this one did not is no case.
        if (outcome === 'absent') continue;
        if (outcome === 'told') report.told += 1;
        if (outcome === 'silent' && isRead(file)) report.silent.push(`${file} ${damage}`);
      } catch (error) {
        report.problems.push(`${file} ${damage}: ${errorMessage(error)}`);
        await scene.startOver();
      }
      report.cases += 1;
      options.onProgress?.(report.cases);
    }
  };
  await scene.prepare();
  await play(scene.dataFiles(), false);
  await play(await scene.runFiles(), true);
  await scene.restoreAll();
  return report;
}

/**
 * Files in which damage cannot be found, because the daemon never reads them again, or replaces nothing that it would tell of.
 * What their damage may change is looked at all the same: the checks are those of every case.
 */
const NOT_READ: readonly RegExp[] = [
  // Made anew at each start; a container may write to its own.
  /\/containers\/[^/]+\/(hostname|hosts|resolv\.conf)$/,
  // What the container has said. Followed and read line by line, see the tests of logs.
  /-json\.log$/,
  // SQLite's index of its log, made anew at each opening.
  /\/metadata\.db-shm$/,
  // Handed over to the runtime or by it, once, when the process was made.
  /\/tasks\/ID\/config\.json$/,
  /\/tasks\/ID\/(execs\/[^/]+\/)?(pid|process\.json)$/,
  // The runtime's own: it tells whoever asks it.
  /^exec\/state\//,
];

const isRead = (file: string): boolean => !NOT_READ.some((pattern) => pattern.test(file));

/** Content of images and containers is not the engine's state; sockets and FIFOs have none. */
const CONTENT = /\/(diff|fs|upper|merged|work|_data)$/;
const IDS = /[0-9a-f]{64}|[0-9a-f]{12}/g;

/** Regular files below a directory, one of each kind: paths that differ in an ID only are the same kind. */
function kindsOfFiles(root: string): string[] {
  const found = new Map<string, string>();
  const walk = (directory: string): void => {
    for (const name of readdirSync(directory).toSorted()) {
      const path = join(directory, name);
      const stat = lstatSync(path);
      if (stat.isDirectory() && !CONTENT.test(path)) walk(path);
      // Blobs are all of one kind by name, but a config is not a layer.
      const kind = path.includes('/blobs/') ? path : path.replace(IDS, 'ID');
      if (stat.isFile() && name !== 'gantry.lock' && stat.size > 0) found.set(kind, path);
    }
  };
  walk(root);
  return [...found.values()].map((path) => path.slice(root.length + 1));
}

class Scene {
  readonly #daemon: TestDaemon;
  readonly #client: Client;
  readonly #template: string;
  #running = '';
  #pid = 0;
  #saved = '';

  constructor(daemon: TestDaemon, client: Client) {
    this.#daemon = daemon;
    this.#client = client;
    this.#template = `${daemon.directory}/template`;
  }

  #must(...args: string[]): Promise<string> {
    return must(this.#client, args, { host: this.#daemon.host });
  }

  /** An image, a volume, a container that was made, one that ended with a log and one that is always restarted. */
  async prepare(): Promise<void> {
    this.#saved = (await this.#save()).digest;
    await this.#must('create', '--name', 'made', '-v', 'vol:/data', '-p', '0:80', 'busybox', 'true');
    await this.#must('run', '--name', 'ended', 'busybox', 'sh', '-c', 'echo logged');
    await this.#must('create', '--name', 'always', '--restart', 'always', 'busybox', 'sleep', '1000');
    await this.#daemon.stop();
    cpSync(this.#daemon.dataRoot, this.#template, {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
    await this.#daemon.restart();
  }

  /** All of the data root; the database's log as a crash leaves it, too. */
  dataFiles(): string[] {
    const files = kindsOfFiles(this.#template).map((path) => `data/${path}`);
    return [...new Set([...files, 'data/metadata.db-wal'])];
  }

  async runFiles(): Promise<string[]> {
    await this.#startRunning();
    return kindsOfFiles(this.#daemon.execRoot).map(
      (path) => `exec/${path.replace(IDS, (id) => (id === this.#running ? 'ID' : id))}`,
    );
  }

  async #startRunning(): Promise<void> {
    const script = 'trap "exit 0" TERM; while :; do sleep 0.05; done';
    this.#running = await this.#must(
      'run',
      '-d',
      '--name',
      'running',
      '-p',
      '0:80',
      'busybox',
      'sh',
      '-c',
      script,
    );
    // Asked now: after the damage nobody may know it.
    this.#pid = Number(await this.#must('inspect', '-f', '{{.State.Pid}}', 'running'));
    await this.#must('exec', '-d', 'running', 'sleep', '1000');
  }

  /** Whether a line of the log names the file. */
  async play(file: string, damage: Damage, isLive: boolean): Promise<'told' | 'silent' | 'absent'> {
    const daemon = this.#daemon;
    await this.#setScene(isLive, file.endsWith('-wal'));
    const before = daemon.log().length;
    const path = this.#resolve(file);
    const isThere = existsSync(path);
    if (isThere) harm(path, damage);
    await daemon.restart();
    if (!isThere) return 'absent';
    await this.#check(file);
    const said = daemon.log().slice(before);
    if (isLive) await this.#removeAll();
    const lines = said.split('\n').filter((line) => /"level":"(warn|error)"/.test(line));
    return lines.some((line) => namesOf(path).some((name) => line.includes(name))) ? 'told' : 'silent';
  }

  /** After a case that left who knows what. */
  async startOver(): Promise<void> {
    await cutPower(this.#daemon);
    this.#running = '';
    this.#useTemplate();
    await this.#daemon.restart();
  }

  #useTemplate(): void {
    const { dataRoot } = this.#daemon;
    rmSync(dataRoot, { recursive: true, force: true });
    cpSync(this.#template, dataRoot, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }

  /** Leaves the daemon down. */
  async #setScene(isLive: boolean, withLog = false): Promise<void> {
    if (!isLive) {
      await this.#removeAll();
      await this.#daemon.stop();
      this.#useTemplate();
      if (withLog) await this.#leaveWriteAheadLog();
      return;
    }
    if (this.#running === '') await this.#startRunning();
    await this.#daemon.crash();
  }

  /** A daemon that crashes leaves what it has not yet written into the database. */
  async #leaveWriteAheadLog(): Promise<void> {
    await this.#daemon.restart();
    await this.#must('volume', 'create', 'late');
    await this.#daemon.crash();
  }

  #resolve(file: string): string {
    const [root = '', ...rest] = file.split('/');
    const base = root === 'data' ? this.#daemon.dataRoot : this.#daemon.execRoot;
    const path = join(base, ...rest)
      .replace('/ID', `/${this.#running}`)
      .replace('/ID', `/${this.#running}`);
    if (existsSync(path)) return path;
    // Names of this start: the same kind of file under another ID.
    const kind = path.replace(IDS, 'ID').slice(base.length + 1);
    const same = kindsOfFiles(base).find((other) => other.replace(IDS, 'ID') === kind);
    return same === undefined ? path : join(base, same);
  }

  async #check(file: string): Promise<void> {
    const { host } = this.#daemon;
    const names = await this.#must('ps', '-a', '--format', '{{.Names}}');
    await callJson(host, 'GET', '/info');
    await callJson(host, 'GET', '/volumes');
    await callJson(host, 'GET', '/system/df');
    const images = await this.#must('images', '-q');
    for (const name of names.split('\n').filter(Boolean)) await this.#must('inspect', name);
    if (names.includes('ended')) await run(this.#client, ['logs', 'ended'], { host });
    if (this.#pid > 0) await this.#checkRunning();
    if (images !== '') await this.#checkSaved();
    if (images === '') await this.#must('image', 'bootstrap', 'busybox');
    const made = await run(this.#client, ['run', '--rm', 'busybox', 'echo', 'works'], { host });
    // A damaged blob or layer may cost the image; then it says so, and the image can be had again.
    if (made.code !== 0) {
      if (!/blob|layer|content|overlay2/.test(file)) throw new Error(`a new container: ${made.stderr}`);
      await run(this.#client, ['rmi', '-f', 'busybox'], { host });
      await this.#must('image', 'bootstrap', 'busybox');
      await this.#must('run', '--rm', 'busybox', 'true');
    }
  }

  /** A process that lives is one that the engine knows of. */
  async #checkRunning(): Promise<void> {
    const state = await this.#must('inspect', '-f', '{{.State.Running}} {{.State.Pid}}', 'running');
    const isAlive = existsSync(`/proc/${this.#pid}/root`);
    if (isAlive && state !== `true ${this.#pid}`)
      throw new Error(`the container runs, but its state is ${state}`);
  }

  /** An archive that is given out is the right one; where that cannot be, there is an error. */
  async #checkSaved(): Promise<void> {
    const { code, digest } = await this.#save();
    if (code === 0 && digest !== this.#saved) throw new Error('save gives out an archive that is damaged');
  }

  async #save(): Promise<{ code: number; digest: string }> {
    const child = Bun.spawn([this.#client.path, 'save', 'busybox'], {
      env: clientEnvironment({ host: this.#daemon.host }),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const hasher = new Bun.CryptoHasher('sha256');
    for await (const chunk of child.stdout) hasher.update(chunk);
    return { code: await child.exited, digest: hasher.digest('hex') };
  }

  /** Every container can be removed, whatever is left of it, and its processes go. */
  async #removeAll(): Promise<void> {
    const ids = (await this.#must('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
    const pid = this.#pid;
    if (ids.length > 0) await this.#must('rm', '-f', ...ids);
    if (pid > 0)
      await eventually('the process of a removed container to go', () => !existsSync(`/proc/${pid}/root`));
    this.#running = '';
    this.#pid = 0;
  }

  /** A whole state again, for whoever uses the daemon next. */
  async restoreAll(): Promise<void> {
    await this.#setScene(false);
    // Where the list of the cgroups that it made was damaged, the daemon rightly left this to its administrator.
    for (const path of globSync(`/sys/fs/cgroup/{*/,}${this.#daemon.cgroupParent.slice(1)}`)) rmdirSync(path);
    await this.#daemon.restart();
    await this.#removeAll();
    rmSync(this.#template, { recursive: true, force: true });
  }
}

/** What a line of the log may call a file: its path; a blob, which is stored under its digest, that. */
function namesOf(path: string): string[] {
  const digest = /\/blobs\/(\w+)\/([0-9a-f]+)$/.exec(path);
  return digest ? [path, `${digest[1]}:${digest[2]}`] : [path];
}

function harm(path: string, damage: Damage): void {
  const { size } = lstatSync(path);
  if (damage === 'removed') rmSync(path);
  if (damage === 'emptied') truncateSync(path, 0);
  // The database's log is mostly room kept for a full disk: its first half would be all there is in it.
  const half = Math.floor(path.endsWith('-wal') ? Math.min(size / 2, 65_536) : size / 2);
  if (damage === 'cut in half') truncateSync(path, half);
  if (damage !== 'garbled') return;
  const fd = openSync(path, 'r+');
  const noise = Buffer.from(
    crypto.getRandomValues(new Uint8Array(Math.min(4096, Math.max(1, Math.floor(size / 2))))),
  );
  writeSync(fd, noise, 0, noise.length, Math.floor(size / 4));
  // The head as well: magic numbers and opening braces.
  writeSync(fd, noise, 0, Math.min(16, noise.length), 0);
  closeSync(fd);
  if (readFileSync(path).length < size) throw new Error('garbling made the file shorter');
}
