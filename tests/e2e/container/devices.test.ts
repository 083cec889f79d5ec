import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
const DIRECTORY = '/var/run/cdi';
const VENDOR = `${uniqueName('vendor')}.example`;
const FILE = `${DIRECTORY}/${VENDOR}.yaml`;

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'gantry-test-dev-'));
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(
    FILE,
    `cdiVersion: "0.6.0"
kind: ${VENDOR}/class
devices:
  - name: x
    containerEdits:
      env: [FROM_CDI=yes]
      deviceNodes: [{path: /dev/from-cdi, hostPath: /dev/zero}]
      mounts: [{hostPath: /etc/hostname, containerPath: /from-cdi, options: [ro, bind]}]
`,
  );
});
afterAll(() => {
  rmSync(FILE, { force: true });
  if (readdirSync(DIRECTORY).length === 0) rmdirSync(DIRECTORY);
  rmSync(scratch, { recursive: true, force: true });
});

describe.each(allClients())('$name devices', (client) => {
  test('a node, its permissions and a cgroup rule', async () => {
    // A device that no driver answers for: what is allowed says "no such device", what is not says so.
    const node = join(scratch, client.path.replaceAll('/', '-'));
    expect(Bun.spawnSync(['mknod', node, 'b', '241', '77']).exitCode).toBe(0);
    const flags = ['--device', `${node}:/dev/mine:r`];
    const script = 'head -c 1 /dev/mine; : > /dev/mine';
    const { stderr } = await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
    expect(stderr).toMatch(/No such device[\s\S]*Operation not permitted/);
    const make = 'mknod /n b 241 77 && head -c 1 /n; echo $?';
    const closed = await engine.run(client, ['run', '--rm', 'busybox', 'sh', '-c', make]);
    expect(closed.stderr).toContain('Operation not permitted');
    const rule = ['--device-cgroup-rule', 'b 241:* rmw'];
    const open = await engine.run(client, ['run', '--rm', ...rule, 'busybox', 'sh', '-c', make]);
    expect(open.stderr).not.toContain('Operation not permitted');
  });

  test('a missing node and --gpus without a driver are refused with docker’s texts', async () => {
    const missing = await engine.run(client, ['run', '--rm', '--device', '/dev/no-such', 'busybox', 'true']);
    expect(missing.stderr).toContain(
      'error gathering device information while adding custom device "/dev/no-such"',
    );
    const gpus = await engine.run(client, ['run', '--rm', '--gpus', 'all', 'busybox', 'true']);
    expect([gpus.code, gpus.stderr]).toEqual([
      125,
      expect.stringContaining('could not select device driver "" with capabilities: [[gpu]]'),
    ]);
  });
});

/** Clients from before CDI take such a name for a path. */
const knowsCdi = allClients().filter(({ name }) => !name.includes(' 20.'));

describe.each(knowsCdi)('$name CDI devices', (client) => {
  test('node, mount and variable are there', async () => {
    const script = 'echo $FROM_CDI; head -c 3 /dev/from-cdi | wc -c; test -s /from-cdi && echo mounted';
    const flags = ['--device', `${VENDOR}/class=x`];
    expect(await engine.must(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script])).toBe(
      'yes\n3\nmounted',
    );
  });

  test('an unknown one is refused', async () => {
    const flags = ['--device', `${VENDOR}/class=y`];
    const { code, stderr } = await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'true']);
    expect([code, stderr]).toEqual([
      125,
      expect.stringContaining(`CDI device injection failed: unresolvable CDI devices ${VENDOR}/class=y`),
    ]);
  });
});
