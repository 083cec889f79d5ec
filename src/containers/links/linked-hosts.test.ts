import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createContainersFixture, createRequestFixture } from '../testing/index.ts';

const STALE = '192.0.2.1\tdb target\n';

/** A container with a link, and what brings the linked one back, with another address as far as the file tells. */
async function linkedPair() {
  const fixture = await createContainersFixture();
  const { containers } = fixture;
  const target = await containers.create(
    createRequestFixture({
      name: 'target',
      config: { hostname: 'target' },
      hostConfig: { networkMode: 'bridge' },
    }),
  );
  await containers.start(target.id);
  const parent = await containers.create(
    createRequestFixture({ hostConfig: { networkMode: 'bridge', links: ['target:db'] } }),
  );
  await containers.start(parent.id);
  return {
    hosts: containers.get(parent.id).hostsPath,
    restart: () => containers.restart(target.id, { timeoutS: 0 }),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

test('the address of a linked container that came back is put right', async () => {
  await using pair = await linkedPair();
  writeFileSync(pair.hosts, `127.0.0.1 localhost\n${STALE}# mine\n`);
  await pair.restart();
  const after = readFileSync(pair.hosts, 'utf8');
  expect(after).not.toContain('192.0.2.1');
  expect(after).toMatch(/^127\.0\.0\.1 localhost\n[\d.]+\tdb target\n# mine\n$/);
});

test('a hosts file that the container has blown up is not read', async () => {
  await using pair = await linkedPair();
  writeFileSync(pair.hosts, STALE);
  appendFileSync(pair.hosts, Buffer.alloc(2 * 1024 * 1024, '#'));
  await pair.restart();
  expect(readFileSync(pair.hosts, 'utf8').startsWith(STALE)).toBe(true);
  expect(statSync(pair.hosts).size).toBe(STALE.length + 2 * 1024 * 1024);
});

test('what is no regular file is neither read nor written to, and holds nobody up', async () => {
  await using pair = await linkedPair();
  const elsewhere = `${pair.hosts}-elsewhere`;
  writeFileSync(elsewhere, STALE);
  rmSync(pair.hosts);
  symlinkSync(elsewhere, pair.hosts);
  await pair.restart();
  expect(readFileSync(elsewhere, 'utf8')).toBe(STALE);
  rmSync(pair.hosts);
  spawnSync('mkfifo', [pair.hosts]);
  await pair.restart();
});
