import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';
import { isModern } from './known.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-flags-'));
engine.defer(async () => rmSync(directory, { recursive: true, force: true }));

/** Runs a shell script in a container made with `flags`; answers the lines it printed. */
async function inside(client: Client, flags: readonly string[], script: string): Promise<string[]> {
  const out = await engine.must(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
  return out.split('\n');
}

/** Flags in company; each for itself is in `flags/`. */
describe.each(allClients())('$name create flags together', (client) => {
  test('capabilities, --security-opt, --privileged, --device, --device-cgroup-rule', async () => {
    const status = 'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status | tr -d "\\t"';
    const hardened = [
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_BIND_SERVICE',
      '--security-opt',
      'no-new-privileges',
    ];
    expect(await inside(client, hardened, status)).toEqual([
      'CapEff:0000000000000400',
      'NoNewPrivs:1',
      'Seccomp:2',
    ]);
    const open = ['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'];
    expect(await inside(client, [...open, '--security-opt', 'label=disable'], status)).toContain('Seccomp:0');
    const [capabilities = ''] = await inside(client, ['--privileged'], status);
    expect(BigInt(`0x${capabilities.split(':')[1]}`)).toBeGreaterThan(0xa80425fbn);
    // 10:229 (fuse) is not among the devices that every container may use.
    const device = ['--device', '/dev/null:/dev/other:r', '--device-cgroup-rule', 'c 10:229 r'];
    const script =
      'stat -c %t:%T /dev/other; mknod /tmp/f c 10 229; for how in "<" ">"; do sh -c ": $how /tmp/f" 2>&1 | grep -c "not permitted"; done';
    expect(await inside(client, device, script)).toEqual(['1:3', '0', '1']);
  });

  test('namespaces: --ipc, --pid, --uts, --cgroupns, --userns, --network of host, none and container', async () => {
    const kinds = ['ipc', 'pid', 'uts', 'cgroup', 'user', 'net'];
    const script = kinds.map((kind) => `readlink /proc/self/ns/${kind}`).join('; ');
    const flags = [
      '--ipc',
      'host',
      '--pid',
      'host',
      '--uts',
      'host',
      '--cgroupns',
      'host',
      '--userns',
      'host',
    ];
    const here = await inside(client, [...flags, '--network', 'host'], script);
    const own = await inside(client, ['--cgroupns', 'private'], script);
    for (const [index, kind] of kinds.entries())
      if (kind !== 'user') expect([kind, own[index]]).not.toEqual([kind, here[index]]);
    expect(here[0]).toBe(readLink('ipc'));
    expect(await inside(client, ['--network', 'none'], 'ls /sys/class/net')).toEqual(['lo']);
    const name = uniqueName('ns');
    await engine.must(client, [
      'run',
      '-d',
      '--name',
      name,
      '--ipc',
      'shareable',
      'busybox',
      'sleep',
      '1000',
    ]);
    const joined = ['--ipc', 'pid', 'network'].map((kind) => kind.replace('--', ''));
    const theirs = await inside(
      client,
      joined.flatMap((kind) => [`--${kind}`, `container:${name}`]),
      `${script}; ps`,
    );
    const target = (await engine.must(client, ['exec', name, 'sh', '-c', script])).split('\n');
    for (const kind of ['ipc', 'pid', 'net'])
      expect(theirs[kinds.indexOf(kind)]).toBe(target[kinds.indexOf(kind)] ?? '');
    expect(theirs.join('\n')).toContain('sleep 1000');
    await engine.must(client, ['rm', '-f', name]);
  });

  test('files: --volume, --mount, --volumes-from, --tmpfs, --read-only, --shm-size', async () => {
    writeFileSync(join(directory, 'host-file'), 'from the host\n');
    const [volume, donor] = [uniqueName('volume'), uniqueName('donor')];
    const binds = ['-v', `${directory}:/bind:ro`, '--volume', `${volume}:/named`, '-v', '/anonymous'];
    await engine.must(client, ['create', '--name', donor, ...binds, 'busybox']);
    const flags = ['--volumes-from', donor, '--read-only', '--tmpfs', '/tmp/small:size=1m,mode=1770'];
    flags.push('--mount', `type=bind,source=${directory},target=/mounted,readonly`);
    flags.push('--mount', 'type=tmpfs,destination=/scratch,tmpfs-size=2m', '--shm-size', '8m');
    const script = [
      'cat /bind/host-file /mounted/host-file; echo data > /named/file; touch /anonymous/file',
      'touch /bind/x 2>/dev/null || echo bind ro; touch /x 2>/dev/null || echo root ro',
      "for m in /tmp/small /scratch /dev/shm; do df -k $m | tail -1 | awk '{print $2}'; done; stat -c %a /tmp/small",
    ].join('; ');
    expect(await inside(client, flags, script)).toEqual([
      ...['from the host', 'from the host', 'bind ro', 'root ro'],
      ...['1024', '2048', '8192', '1770'],
    ]);
    expect(await inside(client, ['-v', `${volume}:/v`], 'cat /v/file')).toEqual(['data']);
    await engine.must(client, ['rm', '-v', donor]);
    await engine.must(client, ['volume', 'rm', volume]);
  });
});

const readLink = (kind: string): string =>
  Bun.spawnSync(['readlink', `/proc/self/ns/${kind}`])
    .stdout.toString()
    .trim();

const ONLY_WINDOWS = /only supported on a Docker daemon running on windows/;
const OWN_NETWORKS = /user specified IP address is supported on user defined networks only/;

/** Flags, exit code, text, and whether docker 20.10 is spared: it sends them in a way of its own. */
const REFUSED: readonly (readonly [flags: string, code: number, text: RegExp, modernOnly?: true])[] = [
  ['--cpu-count 1', 1, ONLY_WINDOWS],
  ['--cpu-percent 1', 1, ONLY_WINDOWS],
  ['--io-maxbandwidth 1m', 1, ONLY_WINDOWS],
  ['--io-maxiops 1', 1, ONLY_WINDOWS],
  ['--isolation hyperv', 125, /invalid isolation/i],
  ['--gpus all', 125, /could not select device driver "" with capabilities: \[\[gpu\]\]/],
  ['--runtime nope', 125, /nope/],
  ['--ip 10.1.2.3', 125, OWN_NETWORKS, true],
  ['--ip6 fd00::1', 125, OWN_NETWORKS, true],
  ['--network-alias x', 125, /network-scoped alias.* user.defined networks/, true],
  ['--memory 1k', 125, /Minimum memory limit allowed is 6MB/i],
  ['--cpus 1000', 125, /Range of CPUs is from 0\.01 to/i],
  ['--sysctl kernel.hostname=x', 125, /kernel\.hostname/],
  ['--restart=always', 125, /conflicting options: .*--restart and --rm/i],
  // The clients take any "no such file or directory" for a command that is not there.
  ['--device /dev/no-such-device', 127, /no-such-device/],
  ['--security-opt nonsense', 125, /invalid --security-opt/i],
  ['--cgroupns sideways', 125, /invalid cgroup mode|cgroupns|cgroup namespace mode/i],
  ['--log-driver nope', 125, /nope/],
  ['--cap-add NOPE', 125, /NOPE/],
  ['--mount type=bind,target=/x', 125, /source/i],
  ['--stop-signal NOPE', 125, /invalid signal: NOPE/i],
];

describe.each(allClients())('$name create flags that are refused', (client) => {
  const rows = REFUSED.filter(([, , , modernOnly]) => !modernOnly || isModern(client));

  test.each(rows.map((row) => [...row] as const))('run %s', async (flags, code, message) => {
    const before = await engine.must(client, ['ps', '-aq']);
    const result = await engine.run(client, ['run', '--rm', ...flags.split(' '), 'busybox', 'true']);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
    expect(await engine.must(client, ['ps', '-aq'])).toBe(before);
  });
});
