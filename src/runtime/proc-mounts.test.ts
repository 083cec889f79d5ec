import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeSys } from '#sys/testing';
import { checkProcMounts } from './proc-mounts.ts';

let rootfs: string;
beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), 'gantry-proc-mounts-'));
  for (const name of ['proc', 'srv', 'etc']) mkdirSync(join(rootfs, name));
});
afterEach(() => rmSync(rootfs, { recursive: true }));

const check = (destination: string, source = '/tmp', type = 'bind') =>
  checkProcMounts(
    { root: { path: rootfs, readonly: false }, mounts: [{ type, source, destination, options: [] }] },
    createFakeSys().files,
  );
const refusal = (destination: string, reason: string) =>
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ' +
  'unable to start container process: error during container init: error mounting "/tmp" to rootfs at ' +
  `"${destination}": ${reason}: unknown`;

describe('a bind below /proc is refused', () => {
  test.each(['/proc/sys', '/proc//sys/', '/srv/../proc/self/attr'])('%s', (destination) => {
    const landing = destination.includes('attr') ? '/proc/self/attr' : '/proc/sys';
    expect(() => check(destination)).toThrow(
      refusal(destination, `"${join(rootfs, landing)}" cannot be mounted because it is inside /proc`),
    );
  });

  test.each([
    ['a link to it', '/proc', '/link/sys'],
    ['a link that leads to what is not there yet', '/proc/self/attr', '/link'],
    ['a relative link out of the root', '../../../proc', '/link/sys/kernel'],
    ['links in turn', 'srv/next', '/link/kernel'],
  ])('through %s', (_what, target, destination) => {
    symlinkSync('/proc/sys', join(rootfs, 'srv/next'));
    symlinkSync(target, join(rootfs, 'link'));
    expect(() => check(destination)).toThrow('cannot be mounted because it is inside /proc');
  });
});

test('over /proc itself only another proc is mounted', () => {
  expect(() => check('/proc')).toThrow(
    refusal('/proc', `"${join(rootfs, 'proc')}" cannot be mounted because it is not of type proc`),
  );
  check('/proc', '/proc');
});

test('the files that are faked for containers may be, and everything that is elsewhere or no bind', () => {
  for (const file of ['uptime', 'meminfo', 'net/dev', 'sys/crypto/fips_enabled']) check(`/proc/${file}`);
  for (const path of ['/', '/procession', '/srv/proc/sys', '/etc/hosts', '/not/there/proc']) check(path);
  check('/proc/acpi', 'tmpfs', 'tmpfs');
  check('/proc', 'proc', 'proc');
});

test('links that lead to each other end', () => {
  symlinkSync('b', join(rootfs, 'a'));
  symlinkSync('a', join(rootfs, 'b'));
  check('/a/x');
});
