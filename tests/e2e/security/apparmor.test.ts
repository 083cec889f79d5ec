import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

/** `make test-vm` is a host that has it. */
const hasAppArmor = existsSync('/sys/kernel/security/apparmor') && Bun.which('apparmor_parser') !== null;
const OWN_PROFILE = `profile gantry-test-own flags=(attach_disconnected) {
  file,
  network,
  capability,
  deny /etc/passwd r,
}
`;
const parser = (flag: string): void => {
  Bun.spawnSync(['apparmor_parser', '--skip-cache', flag], { stdin: Buffer.from(OWN_PROFILE) });
};

describe.skipIf(!hasAppArmor)('AppArmor', () => {
  const engine = useEngine();
  beforeAll(() => parser('--replace'));
  afterAll(() => parser('--remove'));

  describe.each(allClients())('$name', (client) => {
    const must = (...args: string[]): Promise<string> => engine.must(client, args);
    const current = (...flags: string[]): Promise<string> =>
      must('run', '--rm', ...flags, 'busybox', 'cat', '/proc/self/attr/current');
    const chosen = (name: string): string[] => ['--security-opt', `apparmor=${name}`];

    test('the default profile is loaded, applied, shown and named as docker names it', async () => {
      expect(readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8')).toContain(
        'docker-default (enforce)',
      );
      expect(await current()).toBe('docker-default (enforce)');
      expect(await current(...chosen('docker-default'))).toBe('docker-default (enforce)');
      expect(await must('info', '-f', '{{.SecurityOptions}}')).toContain('name=apparmor');
    });

    test('execs have the profile, too; stop and kill get through it', async () => {
      const name = uniqueName('apparmor');
      await must('run', '-d', '--name', name, '--init', 'busybox', 'sleep', '1000');
      expect(await must('inspect', '-f', '{{.AppArmorProfile}}', name)).toBe('docker-default');
      for (const flags of [[], ['--privileged']])
        expect(await must('exec', ...flags, name, 'cat', '/proc/self/attr/current')).toBe(
          'docker-default (enforce)',
        );
      await must('stop', '-t', '60', name);
      expect(await must('inspect', '-f', '{{.State.ExitCode}}', name)).toBe('143');
      await must('start', name);
      await must('kill', name);
      await must('rm', name);
    });

    test('the profile holds where capabilities and seccomp would not', async () => {
      const powerful = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined'];
      const mount = ['busybox', 'mount', '-t', 'tmpfs', 'x', '/tmp'];
      const refused = await engine.run(client, ['run', '--rm', ...powerful, ...mount]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('ermission denied');
      expect(await must('run', '--rm', ...powerful, ...chosen('unconfined'), ...mount)).toBe('');
    });

    test('unconfined and privileged go without; own profiles are taken, unknown ones refused', async () => {
      expect(await current(...chosen('unconfined'))).toBe('unconfined');
      expect(await current('--privileged')).toBe('unconfined');
      expect(await current('--privileged', ...chosen('docker-default'))).toBe('docker-default (enforce)');
      expect(await current(...chosen('gantry-test-own'))).toBe('gantry-test-own (enforce)');
      const denied = await engine.run(client, [
        ...['run', '--rm', ...chosen('gantry-test-own'), 'busybox', 'cat', '/etc/passwd'],
      ]);
      expect(denied.stderr).toContain('ermission denied');
      const unknown = await engine.run(client, [
        'run',
        '--rm',
        ...chosen('no-such-profile'),
        'busybox',
        'true',
      ]);
      expect(unknown.code).toBeGreaterThanOrEqual(125);
      expect(unknown.stderr).toContain('apparmor failed to apply profile');
    });
  });
});
