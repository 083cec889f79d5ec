import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileEntry, tarOf } from '#images/testing';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';
import { call } from '../../reliability/api.ts';

const engine = useEngine();
const SECRET = randomUUID();
let canary = '';
beforeAll(() => {
  canary = mkdtempSync(join(tmpdir(), 'gantry-test-canary-'));
  writeFileSync(join(canary, 'secret'), SECRET);
});
afterAll(() => rmSync(canary, { recursive: true, force: true }));

function expectCanary(): void {
  expect(readdirSync(canary)).toEqual(['secret']);
  expect(readFileSync(join(canary, 'secret'), 'utf8')).toBe(SECRET);
}

describe('S3: copies into and out of a hostile container (ten minutes of it: make soak)', () => {
  test('a directory that turns into a link to the host and back is never followed out', async () => {
    const name = uniqueName('racer');
    // Made anew each time, because the copies plant things, too.
    const flip = `mkdir -p /w; touch /w/ready; cd /w
      while :; do
        mkdir d; echo inside > d/secret; cat /proc/uptime > d/time; rm -rf d; ln -s ${canary} d; rm -rf d
        mkdir d; echo inside > d/secret; cat /proc/uptime > d/time; rm -rf d; ln -s /proc/1/root${canary} d; rm -rf d
      done`;
    await engine.must(gantry, ['run', '-d', '--name', name, 'busybox', 'sh', '-c', flip]);
    await eventually(
      'the race',
      async () => (await engine.run(gantry, ['exec', name, 'ls', '/w/ready'])).code === 0,
    );
    let read = 0;
    for (let turn = 0; turn < 150; turn += 1) {
      const out = await call(engine.host, 'GET', `/containers/${name}/archive?path=/w/d/secret`);
      expect(out.text).not.toContain(SECRET);
      read += out.text.includes('inside') ? 1 : 0;
      await call(engine.host, 'PUT', `/containers/${name}/archive?path=/w/d`, {
        raw: await tarOf([fileEntry('planted', 'x')]),
      });
      await call(engine.host, 'PUT', `/containers/${name}/archive?path=/w`, {
        raw: await tarOf([fileEntry('d/planted', 'x')]),
      });
    }
    // Else nothing was raced.
    expect(read).toBeGreaterThan(0);
    expectCanary();
    await engine.must(gantry, ['rm', '-f', name]);
    expectCanary();
  }, 60_000);

  test('nor is one in a volume, of which a container that does not run has a part', async () => {
    const [racer, victim, volume] = [uniqueName('racer'), uniqueName('victim'), uniqueName('parts')];
    const flip = `cd /v; while :; do
      mkdir d; echo inside > d/secret; touch /v/ready; rm -rf d; ln -s ${canary} d; rm -f d
    done`;
    await engine.must(gantry, [
      'run',
      '-d',
      '--name',
      racer,
      '-v',
      `${volume}:/v`,
      'busybox',
      'sh',
      '-c',
      flip,
    ]);
    const mount = `type=volume,src=${volume},dst=/m,volume-subpath=d`;
    await engine.must(gantry, ['create', '--name', victim, '--mount', mount, 'busybox', 'true']);
    await eventually(
      'the race',
      async () => (await engine.run(gantry, ['exec', racer, 'test', '-e', '/v/ready'])).code === 0,
    );
    const statuses = new Set<number>();
    for (let turn = 0; turn < 200; turn += 1) {
      const out = await call(engine.host, 'GET', `/containers/${victim}/archive?path=/m/secret`);
      expect(out.text).not.toContain(SECRET);
      statuses.add(out.status);
      await call(engine.host, 'PUT', `/containers/${victim}/archive?path=/m`, {
        raw: await tarOf([fileEntry('planted', 'x')]),
      });
    }
    expectCanary();
    // Else nothing was raced.
    expect(statuses.size).toBeGreaterThan(1);
    await engine.must(gantry, ['rm', '-f', racer, victim]);
    await engine.must(gantry, ['volume', 'rm', volume]);
  }, 60_000);

  test('a client that stops sending does not keep its container from being removed', async () => {
    const name = uniqueName('stalled');
    await engine.must(gantry, ['create', '--name', name, 'busybox', 'true']);
    const client = connect(new URL(engine.host).pathname);
    client.on('error', () => {});
    client.write(
      `PUT /v1.45/containers/${name}/archive?path=/tmp HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\n` +
        'Transfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n',
    );
    await eventually('the upload holds the container', async () => {
      const limit = { signal: AbortSignal.timeout(500), unix: new URL(engine.host).pathname };
      const answer = await fetch(`http://d/containers/${name}/archive?path=/etc/passwd`, limit).catch(
        () => undefined,
      );
      return answer === undefined;
    });
    expect((await engine.run(gantry, ['rm', '-f', name])).code).toBe(0);
    client.destroy();
  }, 30_000);

  test('programs of the container unpack nothing (CVE-2026-41567)', async () => {
    const name = uniqueName('trojan');
    const plant = ['xz', 'unxz', 'bzip2', 'gzip', 'zstd', 'tar']
      .map(
        (program) =>
          `printf '#!/bin/sh\\ntouch ${canary}/ran /ran\\n' > /bin/${program}; chmod +x /bin/${program}`,
      )
      .join('; ');
    const script = `cd /bin; rm -f xz unxz bzip2 gzip zstd tar; ${plant}; exec sleep 1000`;
    await engine.must(gantry, ['run', '-d', '--name', name, 'busybox', 'sh', '-c', script]);
    await eventually(
      'the trojans',
      async () => (await engine.run(gantry, ['exec', name, 'ls', '/bin/tar'])).code === 0,
    );
    const tar = await tarOf([fileEntry('unpacked', 'x')]);
    for (const program of ['xz', 'bzip2', 'gzip'].filter((each) => Bun.which(each) !== null)) {
      const packed = Bun.spawnSync([program, '-c'], { stdin: tar }).stdout;
      const into = await call(engine.host, 'PUT', `/containers/${name}/archive?path=/`, { raw: packed });
      expect([program, into.status, into.text]).toEqual([program, 200, '']);
    }
    expect(await engine.must(gantry, ['exec', name, 'ls', '/unpacked'])).toBe('/unpacked');
    expect((await engine.run(gantry, ['exec', name, 'ls', '/ran'])).code).not.toBe(0);
    expect(existsSync(join(canary, 'ran'))).toBe(false);
    await engine.must(gantry, ['rm', '-f', name]);
  });

  test('absolute links inside the root still work, also out of a volume', async () => {
    const name = uniqueName('links');
    const script = 'mkdir -p /real /data; ln -s /real /link; ln -s /real /data/link; exec sleep 1000';
    await engine.must(gantry, ['run', '-d', '--name', name, '-v', '/data', 'busybox', 'sh', '-c', script]);
    await eventually(
      'the links',
      async () => (await engine.run(gantry, ['exec', name, 'ls', '/data/link'])).code === 0,
    );
    for (const path of ['/link', '/data/link']) {
      const answer = await call(engine.host, 'PUT', `/containers/${name}/archive?path=${path}`, {
        raw: await tarOf([fileEntry(`by${path.replaceAll('/', '-')}`, 'x')]),
      });
      expect([path, answer.status, answer.text]).toEqual([path, 200, '']);
    }
    expect(await engine.must(gantry, ['exec', name, 'ls', '/real'])).toBe('by-data-link\nby-link');
    await engine.must(gantry, ['rm', '-f', '-v', name]);
  });
});
