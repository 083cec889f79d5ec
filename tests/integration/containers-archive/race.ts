import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTar, writeTar } from '#base';
import { createFdOps, createSys } from '#sys';
import {
  type ArchiveSource,
  openStoppedTree,
  readArchive,
  statArchive,
  writeArchive,
} from '../../../src/containers/archive/index.ts';
import { startContainer } from './container.ts';

const SECRET = 'of the host';
const IN_THE_ROOT = 'in the root';
const fdOps = createFdOps();

export interface RaceResult {
  /** Copies that ended, in either way, by what was copied. */
  readonly copies: Readonly<Record<string, number>>;
  /** Copies that met the link where the directory had been, and ended up elsewhere in the container. */
  readonly redirected: number;
  /** How often plain file access, on the same paths at the same time, was led out to the host. Proof that the race is one. */
  readonly naiveEscapes: number;
  /** What must be empty. */
  readonly escapes: readonly string[];
}

/**
 * Copies into and out of a running and a stopped container while another process exchanges a directory with a link to
 * `/` (in the root file system and in a volume), and a file with a link to a file of the host (CVE-2018-15664).
 * A directory of the host that has the same path in the container is the canary.
 */
export async function raceCopies(durationMs: number): Promise<RaceResult> {
  const canary = mkdtempSync(join(tmpdir(), 'gantry-canary-'));
  const escapes: string[] = [];
  writeFileSync(join(canary, 'secret'), SECRET);
  const prepare = (rootfs: string, volume: string): void => {
    for (const base of [rootfs, volume]) {
      plant(join(base, 'flip', canary), 'in the directory');
      symlinkSync('/', join(base, 'evil'));
      writeFileSync(join(base, 'file'), 'in the file');
      symlinkSync(join(canary, 'secret'), join(base, 'link'));
    }
    plant(join(rootfs, canary), IN_THE_ROOT);
  };
  try {
    await using container = await startContainer({ prepare });
    const { rootfs, volume } = container;
    await using _racers = await startRacers([rootfs, volume]);
    const stopped: ArchiveSource = {
      ref: 'stopped',
      open: () =>
        openStoppedTree(createSys().files, {
          rootfs,
          readonlyRootfs: false,
          mounts: [{ destination: '/vol', source: volume, readOnly: false }],
        }),
    };
    const run = new Race(canary, join(rootfs, canary), escapes);
    const end = performance.now() + durationMs;
    while (performance.now() < end) {
      run.accessNaively(rootfs);
      for (const source of [container.source, stopped])
        for (const base of ['', '/vol']) await run.copy(source, base);
    }
    run.checkCanary();
    return { copies: run.copies, redirected: run.redirected, naiveEscapes: run.naiveEscapes, escapes };
  } finally {
    rmSync(canary, { recursive: true, force: true });
  }
}

function plant(directory: string, content: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'secret'), content);
}

class Race {
  readonly copies: Record<string, number> = {};
  redirected = 0;
  naiveEscapes = 0;
  readonly #canary: string;
  /** Host path of the directory in the container to which the link redirects. */
  readonly #elsewhere: string;
  readonly #escapes: string[];

  constructor(canary: string, elsewhere: string, escapes: string[]) {
    this.#canary = canary;
    this.#elsewhere = elsewhere;
    this.#escapes = escapes;
  }

  /** As a program would that joins paths: looks, then opens. */
  accessNaively(rootfs: string): void {
    for (let turn = 0; turn < 20; turn += 1) {
      try {
        const content = readFileSync(join(rootfs, 'flip', this.#canary, 'secret'), 'utf8');
        if (content === SECRET) this.naiveEscapes += 1;
      } catch {
        // Between the two.
      }
    }
  }

  async copy(source: ArchiveSource, base: string): Promise<void> {
    const directory = `${base}/flip${this.#canary}`;
    plant(this.#elsewhere, IN_THE_ROOT);
    await this.#out('stat and read a file', source, `${directory}/secret`);
    await this.#out('read a directory', source, `${base}/flip/`);
    await this.#out('read a file at the end', source, `${base}/file`);
    await this.#in('write below', source, directory, 'secret');
    await this.#in('write from above', source, base === '' ? '/' : base, `flip${this.#canary}/secret`);
    await this.#in('replace a file', source, base === '' ? '/' : base, 'file');
    // Replaced, or removed to be replaced when the way led back again.
    const secret = join(this.#elsewhere, 'secret');
    if (!existsSync(secret) || readFileSync(secret, 'utf8') !== IN_THE_ROOT) this.redirected += 1;
    this.checkCanary();
  }

  async #out(kind: string, source: ArchiveSource, path: string): Promise<void> {
    this.#count(kind);
    try {
      statArchive(source, path);
      for await (const entry of readTar(readArchive(source, path).stream)) {
        const content = Buffer.from(await entry.bytes(1e6)).toString();
        if (content === SECRET) this.#escapes.push(`${kind}: ${path} gave the host's ${entry.header.path}`);
        if (content === IN_THE_ROOT && path.includes('flip')) this.redirected += 1;
      }
    } catch (error) {
      rethrowUnexpected(error);
    }
  }

  async #in(kind: string, source: ArchiveSource, path: string, name: string): Promise<void> {
    this.#count(kind);
    const members = [{ header: { path: name }, body: 'in the directory' }];
    try {
      await writeArchive(source, path, writeTar(members), { fdOps });
    } catch (error) {
      rethrowUnexpected(error);
    }
  }

  /** Nothing planted, nothing changed, nothing removed. */
  checkCanary(): void {
    const names = readdirSync(this.#canary);
    const content = names.includes('secret') ? readFileSync(join(this.#canary, 'secret'), 'utf8') : undefined;
    if (names.length !== 1 || content !== SECRET)
      this.#escapes.push(`the canary has changed: ${names.join(' ')}: ${content}`);
  }

  #count(kind: string): void {
    this.copies[kind] = (this.copies[kind] ?? 0) + 1;
  }
}

/** What a container that races may make of a copy: any error that has a code of ours. */
function rethrowUnexpected(error: unknown): void {
  const codes = ['not_found', 'conflict', 'invalid_argument'];
  if (typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code)))
    return;
  throw error;
}

/** Processes that exchange `flip` with `evil` and `file` with `link` as fast as they can, until disposed. */
async function startRacers(bases: readonly string[]): Promise<AsyncDisposable> {
  const script = `
    import { createSys } from ${JSON.stringify(join(import.meta.dir, '../../../src/sys/index.ts'))};
    const { files } = createSys();
    console.log('ready');
    for (;;) for (const base of ${JSON.stringify(bases)})
      for (const [a, b] of [['flip', 'evil'], ['file', 'link']])
        try { files.exchange(base + '/' + a, base + '/' + b); } catch {}`;
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
  await child.stdout.getReader().read();
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
