import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { createSys } from '#sys';

const MARK = 'GANTRY_TEST_PRIVATE_NETWORK';
const TIMEOUT_MS = 120_000;

/** Whether this process may make namespaces. */
export const canUnshare = (): boolean =>
  createSys().processes.effectiveCapabilities().includes('CAP_SYS_ADMIN');

/**
 * Runs the tests of `file` in a network and mount namespace of their own, so that no address, rule or sysctl of
 * this machine is touched and nothing can be left behind: in the first process `body` is not called, but the file
 * is run again inside.
 */
export function inPrivateNamespace(file: string, body: () => void): void {
  if (process.env[MARK] !== undefined) {
    body();
    return;
  }
  test.skipIf(!canUnshare() || !existsSync('/usr/bin/nsenter'))(
    'in a private network namespace',
    async () => {
      const unshare = ['unshare', '--net', '--mount', '--propagation', 'private'];
      const child = Bun.spawn([...unshare, process.execPath, 'test', '--timeout', '30000', file], {
        env: { ...process.env, [MARK]: '1' },
        stdout: 'pipe',
        stderr: 'pipe',
      });
      const output = (
        await Promise.all([child.stdout, child.stderr].map((s) => new Response(s).text()))
      ).join('');
      const code = await child.exited;
      if (code !== 0) process.stderr.write(output);
      expect([code, / (\d+) pass/.exec(output)?.[1] ?? '0']).toEqual([0, expect.stringMatching(/^[1-9]/)]);
    },
    TIMEOUT_MS,
  );
}
