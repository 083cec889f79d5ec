import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger as logger } from '#base';
import { isAppArmorEnabled, openAppArmor } from './host.ts';
import { DEFAULT_APPARMOR_PROFILE, DEFAULT_APPARMOR_TEXT } from './profile.ts';

let sysfs: string;
let loaded: string[];
const load = (text: string): void => void loaded.push(text);
beforeEach(() => {
  sysfs = mkdtempSync(join(tmpdir(), 'gantry-sysfs-'));
  loaded = [];
});
afterEach(() => rmSync(sysfs, { recursive: true }));

function enable(value: string, profiles = ''): void {
  mkdirSync(join(sysfs, 'kernel/security/apparmor'), { recursive: true });
  mkdirSync(join(sysfs, 'module/apparmor/parameters'), { recursive: true });
  writeFileSync(join(sysfs, 'kernel/security/apparmor/profiles'), profiles);
  writeFileSync(join(sysfs, 'module/apparmor/parameters/enabled'), value);
}

test('isAppArmorEnabled: only with its file system and the switch on', () => {
  expect(isAppArmorEnabled(sysfs)).toBe(false);
  enable('N\n');
  expect(isAppArmorEnabled(sysfs)).toBe(false);
  enable('Y\n');
  expect(isAppArmorEnabled(sysfs)).toBe(true);
});

test('openAppArmor: loads the default profile once', () => {
  expect(openAppArmor({ logger, sysfs, load })).toMatchObject({
    isEnabled: false,
    defaultProfile: undefined,
  });
  enable('Y\n', 'docker-default-2 (enforce)\n');
  expect(openAppArmor({ logger, sysfs, load }).defaultProfile).toBe(DEFAULT_APPARMOR_PROFILE);
  expect(loaded).toEqual([DEFAULT_APPARMOR_TEXT]);
  enable('Y\n', `${DEFAULT_APPARMOR_PROFILE} (enforce)\n`);
  expect(openAppArmor({ logger, sysfs, load }).defaultProfile).toBe(DEFAULT_APPARMOR_PROFILE);
  expect(loaded).toHaveLength(1);
});

test('ensureLoaded: again what something has taken out of the kernel', () => {
  enable('Y\n', `${DEFAULT_APPARMOR_PROFILE} (enforce)\n`);
  const host = openAppArmor({ logger, sysfs, load });
  host.ensureLoaded();
  expect(loaded).toEqual([]);
  enable('Y\n', '');
  host.ensureLoaded();
  expect(loaded).toEqual([DEFAULT_APPARMOR_TEXT]);
});

test('openAppArmor: without a parser containers go without a profile', () => {
  enable('Y\n');
  const fail = (): never => {
    throw new Error('apparmor_parser not found');
  };
  expect(openAppArmor({ logger, sysfs, load: fail })).toMatchObject({
    ...{ isEnabled: true, defaultProfile: undefined },
  });
});

test('the default profile: balanced, named throughout, and denies what must be denied', () => {
  const rules = DEFAULT_APPARMOR_TEXT.split('\n').map((line) => line.trim());
  expect(rules.filter((rule) => rule.endsWith('{'))).toHaveLength(1);
  expect(rules.filter((rule) => rule === '}')).toHaveLength(1);
  const statements = rules.filter((rule) => rule !== '' && !rule.startsWith('#') && !/[{}]$/.test(rule));
  for (const statement of statements) expect(statement).toEndWith(',');
  expect(statements).toContain('deny mount,');
  expect(statements).toContain('deny @{PROC}/sysrq-trigger rwklx,');
  expect(statements.some((rule) => rule.startsWith('deny') && rule.includes('/sys/fs/cgroup'))).toBe(false);
});
