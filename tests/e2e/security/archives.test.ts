import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type ArchiveImage,
  configFor,
  dockerArchive,
  fileEntry,
  LayoutBuilder,
  layerOf,
  tarOf,
} from '#images/testing';
import { MEDIA_TYPE } from '#oci';
import { HOSTILE_ARCHIVES } from '#store/testing';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';
import { type Answer, call, callJson } from '../../reliability/api.ts';
import { footprintOf, printFigure } from '../../reliability/figures.ts';

const engine = useEngine();
const own = describe.skipIf(givenHost() !== undefined);

const load = (archive: Uint8Array): Promise<Answer> =>
  call(engine.host, 'POST', '/images/load', {
    raw: archive,
    headers: { 'Content-Type': 'application/x-tar' },
  });
const importTree = (tree: Uint8Array): Promise<Answer> =>
  call(engine.host, 'POST', '/images/create?fromSrc=-', {
    raw: tree,
    headers: { 'Content-Type': 'application/x-tar' },
  });
/** A progress stream is a success only if no line of it is an error. */
const failed = ({ status, text }: Answer): boolean => status >= 400 || text.includes('"error"');
const loadImages = async (images: readonly ArchiveImage[]): Promise<Answer> =>
  load(await tarOf(dockerArchive(images)));

interface ImageRow {
  readonly Id: string;
}
const imageIds = async (): Promise<string[]> =>
  (await callJson<ImageRow[]>(engine.host, 'GET', '/images/json?all=1')).map(({ Id }) => Id).toSorted();
const removeOthers = async (keep: readonly string[]): Promise<void> => {
  for (const id of await imageIds()) {
    if (!keep.includes(id)) await call(engine.host, 'DELETE', `/images/${id}?force=1`);
  }
};

let outside = '';
let usual: string[] = [];
beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'gantry-test-canary-'));
  writeFileSync(join(outside, 'canary'), 'untouched');
});
afterAll(() => rmSync(outside, { recursive: true, force: true }));

function expectCanary(): void {
  expect(readdirSync(outside)).toEqual(['canary']);
  expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('untouched');
  expect(statSync(outside).mode & 0o777).toBe(0o700);
}

own('S4: the corpus of hostile archives', () => {
  test.each(HOSTILE_ARCHIVES.map((each) => [`${each.name} (${each.expected})`, each] as const))(
    '%s: as a layer of a loaded image, and imported',
    async (_name, archive) => {
      usual = await imageIds();
      const bytes = await archive.build(outside);
      for (const answer of [await loadImages([{ layers: [bytes] }]), await importTree(bytes)]) {
        if (archive.expected === 'refused')
          expect([archive.name, failed(answer)]).toEqual([archive.name, true]);
        // The user's mistake, never the engine's failure.
        expect([archive.name, answer.status < 500, answer.text]).toEqual([archive.name, true, answer.text]);
        if (failed(answer)) expect(await imageIds()).toEqual(usual);
        expectCanary();
      }
      await removeOthers(usual);
    },
  );

  test('as the image archive itself', async () => {
    usual = await imageIds();
    for (const archive of HOSTILE_ARCHIVES) {
      const answer = await load(await archive.build(outside));
      expect([archive.name, failed(answer), answer.status < 500]).toEqual([archive.name, true, true]);
      expectCanary();
    }
    expect(await imageIds()).toEqual(usual);
  });

  test('nothing of it stays on the disk once its images are gone', () => {
    const root = engine.daemon?.dataRoot ?? '';
    expect(readdirSync(`${root}/content/blobs/sha256`).length).toBeLessThanOrEqual(3);
    expect(readdirSync(`${root}/content/ingest`)).toEqual([]);
  });
});

describe('S14: labels and names of an image steer nothing in the engine', () => {
  test('run.oci.* and engine labels do not become annotations of the runtime', async () => {
    const marker = join(outside, 'hooked');
    const hook = JSON.stringify({ prestart: [{ path: '/bin/sh', args: ['sh', '-c', `touch ${marker}`] }] });
    const labels = {
      'run.oci.handler': 'wasm',
      'run.oci.hooks.stdout': marker,
      'run.oci.seccomp_bpf_data': 'BgAAAAAA/38=',
      'run.oci.keep_original_groups': '1',
      'org.criu.config': marker,
      'io.gantry.hooks': hook,
    };
    const image = uniqueName('labels');
    const layer = await tarOf([
      { header: { path: 'bin/cat', mode: 0o755 }, body: readFileSync('/bin/busybox') },
    ]);
    const config = configFor([layer], { config: { Cmd: ['cat', '/proc/self/status'], Labels: labels } });
    expect(failed(await loadImages([{ layers: [layer], tags: [`${image}:latest`], config }]))).toBe(false);
    const name = uniqueName('labelled');
    const out = await engine.must(gantry, ['run', '--name', name, image]);
    expect(out).toMatch(/Seccomp:\t2/);
    expect(out).toMatch(/Groups:\t0 *$/m);
    expect(JSON.parse(await engine.must(gantry, ['inspect', '-f', '{{json .Config.Labels}}', name]))).toEqual(
      labels,
    );
    await engine.must(gantry, ['rm', name]);
    await engine.must(gantry, ['create', '--name', name, image]);
    await engine.must(gantry, ['start', name]);
    expect(readdirSync(outside)).toEqual(['canary']);
    await engine.must(gantry, ['rm', '-f', name]);
    await engine.must(gantry, ['rmi', image]);
  });

  own('on the disk of the running container', () => {
    test('the bundle has no annotation of the image', async () => {
      const image = uniqueName('bundle');
      const tree = await tarOf([
        { header: { path: 'bin/sleep', mode: 0o755 }, body: readFileSync('/bin/busybox') },
      ]);
      const change = 'LABEL run.oci.handler=wasm run.oci.hooks.stdout=/x annotation=1';
      await engine.must(gantry, ['import', '--change', change, '-', image], { stdin: tree });
      const flags = ['--label', 'run.oci.systemd.force_cgroup_v1=/x'];
      const id = await engine.must(gantry, ['run', '-d', ...flags, image, 'sleep', '1000']);
      const bundle = JSON.parse(readFileSync(`${engine.daemon?.execRoot}/tasks/${id}/config.json`, 'utf8'));
      expect(Object.keys(bundle.annotations ?? {})).toEqual(['run.oci.seccomp_bpf_data']);
      expect(bundle.hooks).toBeUndefined();
      await engine.must(gantry, ['rm', '-f', id]);
      await engine.must(gantry, ['rmi', image]);
    });
  });

  test('a hostile tag of an archive is no path', async () => {
    const layer = await layerOf({ a: 'x' });
    for (const tag of [
      '../../evil:latest',
      '/etc/passwd:x',
      'a b:latest',
      'x:latest\n/../y',
      `x:${'y'.repeat(300)}`,
    ]) {
      const answer = await loadImages([{ layers: [layer], tags: [tag] }]);
      expect([tag, failed(answer), answer.status < 500]).toEqual([tag, true, true]);
    }
  });
});

describe('S21: the media type has to match the content', () => {
  test.each(['manifest as index', 'index as manifest', 'both at once'])('%s', async (kind) => {
    const builder = new LayoutBuilder();
    const layer = await layerOf({ a: kind });
    const good = builder.addImage([layer]);
    const asIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [good] };
    const both = {
      schemaVersion: 2,
      config: builder.add(JSON.stringify(configFor([layer])), MEDIA_TYPE.ociConfig),
      layers: [builder.add(layer, MEDIA_TYPE.ociLayerTar)],
      manifests: [good],
    };
    const roots = {
      'manifest as index': { ...good, mediaType: MEDIA_TYPE.ociIndex },
      'index as manifest': builder.add(JSON.stringify(asIndex), MEDIA_TYPE.ociManifest),
      'both at once': builder.add(JSON.stringify(both), MEDIA_TYPE.ociManifest),
    };
    const root = roots[kind as keyof typeof roots];
    usual = await imageIds();
    const answer = await load(await tarOf(builder.members([root])));
    expect([failed(answer), answer.status < 500, answer.text]).toEqual([true, true, answer.text]);
    expect(await imageIds()).toEqual(usual);
  });

  test('a blob that is not what its digest says', async () => {
    const builder = new LayoutBuilder();
    const image = builder.addImage([await layerOf({ a: 'one' })]);
    const members = builder.members([image]);
    const forged = members.map((member) =>
      member.header.path.startsWith('blobs/') && Buffer.from(member.body as Uint8Array).includes('one')
        ? fileEntry(member.header.path, 'forged')
        : member,
    );
    const answer = await load(await tarOf(forged));
    expect([failed(answer), answer.status < 500]).toEqual([true, true]);
  });
});

own('S22: bombs in images', () => {
  const MB = 1024 * 1024;

  /** Runs `attack`, which has to fail as the user's mistake, and returns by how much the daemon has grown. */
  async function growthDuring(attack: () => Promise<Answer>): Promise<number> {
    const pid = engine.daemon?.pid ?? 0;
    const before = footprintOf(pid).rssMb;
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, footprintOf(pid).rssMb)), 20);
    try {
      const answer = await attack();
      expect([failed(answer), answer.status < 500, answer.text.slice(0, 300)]).toEqual([
        true,
        true,
        answer.text.slice(0, 300),
      ]);
    } finally {
      clearInterval(watch);
    }
    return most - before;
  }

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s: a small file that becomes a huge one is cut', async (name, compress) => {
    // Nested, so that the test itself never holds what it describes: 256 MB a piece, eight pieces.
    const piece = compress(Buffer.alloc(256 * MB));
    const bomb = Buffer.concat(Array.from({ length: 8 }, () => piece));
    const growth = await growthDuring(() => load(bomb));
    printFigure(
      'S22',
      `daemon growth under a ${name} bomb of 2 GB from ${bomb.length} bytes`,
      `${growth.toFixed(1)} MB`,
    );
    expect(growth).toBeLessThan(128);
  });

  test('an index of a million entries, a config nested 100,000 deep, a config of 100 MB', async () => {
    const entry = { mediaType: MEDIA_TYPE.ociManifest, digest: `sha256:${'0'.repeat(64)}`, size: 1 };
    const index = `{"schemaVersion":2,"manifests":[${`${JSON.stringify(entry)},`.repeat(999_999)}${JSON.stringify(entry)}]}`;
    const deep = `{"config":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const documents = {
      'million-entry index': [
        fileEntry('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
        fileEntry('index.json', index),
      ],
      'deep config': [
        fileEntry('manifest.json', '[{"Config":"c.json","RepoTags":null,"Layers":[]}]'),
        fileEntry('c.json', deep),
      ],
      'huge config': [
        fileEntry('manifest.json', '[{"Config":"c.json","RepoTags":null,"Layers":[]}]'),
        fileEntry('c.json', Buffer.alloc(100 * MB, ' ')),
      ],
      'deep manifest.json': [fileEntry('manifest.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
    };
    for (const [name, members] of Object.entries(documents)) {
      const archive = await tarOf(members);
      const growth = await growthDuring(() => load(archive));
      printFigure('S22', `daemon growth under a ${name}`, `${growth.toFixed(1)} MB`);
      expect([name, growth < 200]).toEqual([name, true]);
    }
  });
});
