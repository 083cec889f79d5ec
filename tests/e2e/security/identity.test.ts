import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { fileEntry, tarOf } from '#images/testing';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';

const engine = useEngine();
const IMAGE = uniqueName('users');

/** A static busybox and the account files of the image under test. */
async function importUsers(change: string, image: string): Promise<void> {
  const tree = await tarOf([
    { header: { path: 'bin/busybox', mode: 0o755 }, body: readFileSync('/bin/busybox') },
    ...['sh', 'id', 'grep', 'sleep', 'cat'].map((name) => ({
      header: { path: `bin/${name}`, type: 'symlink' as const, linkPath: 'busybox' },
    })),
    fileEntry(
      'etc/passwd',
      'root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\nbob:x:1002:1002::/:\n',
    ),
    fileEntry('etc/group', 'root:x:0:\nannes:x:1001:\nwheel:x:10:ann\ndisk:x:6:bob,ann\nother:x:77:\n'),
  ]);
  await engine.must(gantry, ['import', '--change', change, '-', image], { stdin: tree });
}

/** `uid gid groups`, the groups sorted, of what `/proc/self/status` says. */
const SHOW = ['grep', '-E', '^(Uid|Gid|Groups):', '/proc/self/status'];
function credentials(text: string): string {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const groups = field('Groups').split(' ').filter(Boolean).map(Number);
  const [uid, gid] = [field('Uid'), field('Gid')].map((ids) => ids.split('\t')[0]);
  return `${uid} ${gid} [${groups.toSorted((a, b) => a - b).join(' ')}]`;
}

/** What was asked, and what must be in force. The primary group is in the list, as docker puts it there. */
const CASES = [
  [[], '0 0 [0]'],
  [['-u', 'ann'], '1000 1001 [6 10 1001]'],
  [['-u', '1000'], '1000 1001 [6 10 1001]'],
  [['-u', 'ann:other'], '1000 77 [77]'],
  [['-u', 'ann:77'], '1000 77 [77]'],
  [['-u', '1000:1000'], '1000 1000 [1000]'],
  [['-u', '4242'], '4242 0 [0]'],
  [['-u', '4242:4343'], '4242 4343 [4343]'],
  [['-u', 'bob', '--group-add', 'other', '--group-add', '555'], '1002 1002 [6 77 555 1002]'],
  [['-u', '4242:4343', '--group-add', 'disk'], '4242 4343 [6 4343]'],
] as const;

describe('S19: user and group list are exactly what image and flags say', () => {
  test('import', () => importUsers('CMD ["sleep", "1000"]', IMAGE));

  test.each(CASES)('run %j', async (flags, expected) => {
    expect(credentials(await engine.must(gantry, ['run', '--rm', ...flags, IMAGE, ...SHOW]))).toBe(expected);
  });

  test("exec: its own -u, with the container's added groups as docker gives them", async () => {
    const name = uniqueName('exec-user');
    await engine.must(gantry, ['run', '-d', '--name', name, '-u', 'bob', '--group-add', '555', IMAGE]);
    const exec = async (...flags: string[]) =>
      credentials(await engine.must(gantry, ['exec', ...flags, name, ...SHOW]));
    expect(await exec()).toBe('1002 1002 [6 555 1002]');
    expect(await exec('-u', '1000:1000')).toBe('1000 1000 [555 1000]');
    expect(await exec('-u', 'ann')).toBe('1000 1001 [6 10 555 1001]');
    expect(await exec('-u', 'root')).toBe('0 0 [0 555]');
    await engine.must(gantry, ['rm', '-f', name]);
  });

  test('USER of the image is in force', async () => {
    const image = uniqueName('user-image');
    await importUsers('USER ann:other', image);
    expect(credentials(await engine.must(gantry, ['run', '--rm', image, ...SHOW]))).toBe('1000 77 [77]');
    await engine.must(gantry, ['rmi', image]);
  });
});

const OVERFLOWS = [
  '2147483648',
  '4294967295',
  '4294967296',
  '-1',
  '18446744073709551616',
  '99999999999999999999999999',
  '0:2147483648',
  '0:4294967296',
  '0:-1',
  `0:${'9'.repeat(400)}`,
];

describe('S15: numbers that overflow never become root', () => {
  test.each(OVERFLOWS)('--user %s', async (user) => {
    const result = await engine.run(gantry, ['run', '--rm', `--user=${user}`, IMAGE, 'id', '-u']);
    expect(result.code).toBeGreaterThanOrEqual(125);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('uids and gids must be in range 0-2147483647');
  });

  test.each(OVERFLOWS)('USER %s of an image, and exec', async (user) => {
    const image = uniqueName('overflow');
    await engine.must(gantry, ['import', '--change', `USER ${user}`, '-', image], {
      stdin: await tarOf([fileEntry('etc/group', '')]),
    });
    const result = await engine.run(gantry, ['run', '--rm', image, '/bin/true']);
    expect(result.code).toBeGreaterThanOrEqual(125);
    expect(result.stderr).toContain('uids and gids must be in range 0-2147483647');
    await engine.must(gantry, ['rmi', image]);
  });

  test('exec --user and --group-add', async () => {
    const name = uniqueName('overflow');
    await engine.must(gantry, ['run', '-d', '--name', name, IMAGE]);
    for (const user of OVERFLOWS) {
      const result = await engine.run(gantry, ['exec', `--user=${user}`, name, 'id', '-u']);
      // Docker says why on the command's output.
      expect([user, result.stdout, result.code]).toEqual([
        user,
        expect.stringContaining('must be in range'),
        126,
      ]);
    }
    await engine.must(gantry, ['rm', '-f', name]);
    for (const group of ['4294967296', '2147483648', '-1']) {
      const result = await engine.run(gantry, ['run', '--rm', `--group-add=${group}`, IMAGE, 'id', '-G']);
      expect([group, result.stdout, result.code]).toEqual([group, '', expect.any(Number)]);
      expect(result.code).toBeGreaterThanOrEqual(125);
    }
  });

  test('numbers in passwd that overflow are not read as small ones', async () => {
    const image = uniqueName('overflow-passwd');
    const tree = await tarOf([
      { header: { path: 'bin/id', mode: 0o755 }, body: readFileSync('/bin/busybox') },
      fileEntry('etc/passwd', 'evil:x:4294967296:4294967296::/:/bin/sh\nneg:x:-1:-1::/:/bin/sh\n'),
    ]);
    await engine.must(gantry, ['import', '-', image], { stdin: tree });
    for (const user of ['evil', 'neg']) {
      const result = await engine.run(gantry, ['run', '--rm', '-u', user, image, 'id', '-u']);
      expect([user, result.code >= 125, result.stdout]).toEqual([user, true, '']);
    }
    await engine.must(gantry, ['rmi', image]);
  });
});
