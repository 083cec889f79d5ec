import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../harness/api.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'gantry-test-dev-'));
const SPECS = join(scratch, 'cdi');
const engine = useEngine({ flags: ['--cdi-spec-dir', '/etc/cdi', '--cdi-spec-dir', SPECS] });
const VENDOR = `${uniqueName('vendor')}.example`;

beforeAll(() => {
  mkdirSync(SPECS, { recursive: true });
  writeFileSync(
    `${SPECS}/${VENDOR}.yaml`,
    `cdiVersion: "0.7.0"
kind: ${VENDOR}/class
devices:
  - name: x
    containerEdits:
      env: [FROM_CDI=yes]
      deviceNodes: [{path: /dev/from-cdi, hostPath: /dev/zero}]
      mounts: [{hostPath: /etc/hostname, containerPath: /from-cdi, options: [ro, bind]}]
  - name: made
    containerEdits:
      deviceNodes: [{path: /dev/made, type: b, major: 241, minor: 77, fileMode: 0640, permissions: r, gid: 7}]
      additionalGids: [4711]
  - name: hooked
    containerEdits:
      hooks:
        - {hookName: createRuntime, path: /bin/sh, args: [sh, -c, "cat > ${scratch}/created"]}
        - {hookName: poststop, path: /bin/sh, args: [sh, -c, "echo $WHO > ${scratch}/stopped"], env: [WHO=hook]}
`,
  );
});
afterAll(() => {
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

  test('a node of other numbers, mode and group; its permissions; a group for the process', async () => {
    const script = 'stat -c "%a %g %t:%T" /dev/made; id -G; head -c 1 /dev/made; : > /dev/made';
    const flags = ['--device', `${VENDOR}/class=made`];
    const result = await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
    expect(result.stdout).toMatch(/^640 7 f1:4d\n0 .*4711\n$/);
    expect(result.stderr).toMatch(/No such device[\s\S]*Operation not permitted/);
  });

  test('its programs run on the host, before the container is there and after it has gone', async () => {
    const name = uniqueName('hooked');
    for (const file of ['created', 'stopped']) rmSync(join(scratch, file), { force: true });
    await engine.must(client, [
      ...['run', '-d', '--name', name, '--device', `${VENDOR}/class=hooked`, 'busybox', 'sleep', '1000'],
    ]);
    const state = JSON.parse(readFileSync(join(scratch, 'created'), 'utf8')) as { id: string };
    expect(state.id).toBe(await engine.must(client, ['inspect', '-f', '{{.Id}}', name]));
    expect(existsSync(join(scratch, 'stopped'))).toBe(false);
    await engine.must(client, ['rm', '-f', name]);
    expect(readFileSync(join(scratch, 'stopped'), 'utf8')).toBe('hook\n');
  });

  test('--gpus finds what was described since the daemon started', async () => {
    const file = `${SPECS}/gpu.json`;
    const devices = ['0', 'all'].map((name) => ({ name, containerEdits: { env: [`GPU=${name}`] } }));
    writeFileSync(file, JSON.stringify({ cdiVersion: '0.5.0', kind: 'nvidia.com/gpu', devices }));
    const show = ['busybox', 'sh', '-c', 'echo $GPU'];
    expect(await engine.must(client, ['run', '--rm', '--gpus', 'all', ...show])).toBe('all');
    expect(await engine.must(client, ['run', '--rm', '--gpus', 'device=0', ...show])).toBe('0');
    rmSync(file);
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

test('info names the directories and the devices', async () => {
  const { json } = await callApi(engine.host, 'GET', '/v1.50/info');
  const info = json as { CDISpecDirs: string[]; DiscoveredDevices: { Source: string; ID: string }[] };
  expect(info.CDISpecDirs).toEqual(['/etc/cdi', SPECS]);
  expect(info.DiscoveredDevices).toContainEqual({ Source: 'cdi', ID: `${VENDOR}/class=x` });
});
