import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger as logger } from '#base';
import { openSelinux } from './host.ts';
import { formatLabel, tryParseLabel } from './label.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gantry-selinux-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const open = (wanted = true) => openSelinux({ wanted, logger, root });

const CONTEXTS = `
process = "system_u:system_r:container_t:s0"
content = "system_u:object_r:virt_var_lib_t:s0"
file = "system_u:object_r:container_file_t:s0"
`;
/** As on a Fedora host. */
function record(): void {
  write('sys/fs/selinux/enforce', '1');
  write('etc/selinux/config', '# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n');
  write('etc/selinux/targeted/contexts/lxc_contexts', CONTEXTS);
}

test('openSelinux: the policy’s labels of processes and files', () => {
  record();
  const host = open();
  expect(host && formatLabel(host.process)).toBe('system_u:system_r:container_t:s0');
  expect(host && formatLabel(host.file)).toBe('system_u:object_r:container_file_t:s0');
});

test('openSelinux: none unless wanted, enabled, and known to the policy', () => {
  expect(open()).toBeUndefined();
  record();
  expect(open(false)).toBeUndefined();
  write('etc/selinux/targeted/contexts/lxc_contexts', 'process = "system_u:system_r:container_t:s0"\n');
  expect(open()).toBeUndefined();
  record();
  rmSync(join(root, 'sys'), { recursive: true });
  expect(open()).toBeUndefined();
});

test('openSelinux: both labels are shown to the kernel', () => {
  record();
  write('sys/fs/selinux/context', '');
  expect(open()).toBeDefined();
  expect(readFileSync(join(root, 'sys/fs/selinux/context'), 'utf8')).toBe(
    'system_u:object_r:container_file_t:s0\0',
  );
});

test('openSelinux: none, and why, where the policy that is loaded lacks what its files name', () => {
  record();
  // As the kernel answers for a type that it does not know: EINVAL.
  symlinkSync('/proc/self/oom_score_adj', join(root, 'sys/fs/selinux/context'));
  const warnings: string[] = [];
  const warn = (text: string, fields?: object) => void warnings.push(`${text} ${JSON.stringify(fields)}`);
  expect(openSelinux({ wanted: true, logger: { ...logger, warn }, root })).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining('install container-selinux')]);
  expect(warnings[0]).toContain('system_u:system_r:container_t:s0 system_u:object_r:container_file_t:s0');
});

test.each([
  ['etc/selinux/config', 'SELINUXTYPE=../../tmp\n'],
  ['etc/selinux/config', '\0'.repeat(100_000)],
  ['etc/selinux/targeted/contexts/lxc_contexts', CONTEXTS.replace('container_t', 'x,context=evil')],
  ['etc/selinux/targeted/contexts/lxc_contexts', CONTEXTS.replace('container_file_t:s0', 'a b')],
])('openSelinux: no labels from a hostile %s', (path, text) => {
  record();
  write(path, text);
  expect(open()).toBeUndefined();
});

test('labels: with and without a level', () => {
  expect(tryParseLabel('u:r:t:s0-s0:c0.c1023')).toEqual({
    ...{ user: 'u', role: 'r', type: 't', level: 's0-s0:c0.c1023' },
  });
  for (const text of ['u:r:t', 'u:r:t:s0:c1,c2']) {
    const label = tryParseLabel(text);
    expect(label && formatLabel(label)).toBe(text);
  }
  for (const text of ['', 'u:r', 'u:r:', 'u:r:t:"', 'u:r:t s0', 'u:r:t:s0\n']) {
    expect([text, tryParseLabel(text)]).toEqual([text, undefined]);
  }
});
