import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, internal, type Logger } from '#base';
import { DEFAULT_APPARMOR_PROFILE, DEFAULT_APPARMOR_TEXT } from './profile.ts';

/** What this machine offers of AppArmor. */
export interface AppArmorHost {
  readonly isEnabled: boolean;
  /** The profile for containers that name none; undefined: it could not be loaded, they go without. */
  readonly defaultProfile: string | undefined;
  /** Loads the default profile again if something has taken it out of the kernel: an update of AppArmor does. */
  ensureLoaded(): void;
}

/** Puts a profile into the kernel. @throws when the parser is missing or refuses it. */
export type ProfileLoader = (profile: string) => void;

/** Whether the kernel has AppArmor and it is on. `sysfs` is for tests. Source: apparmor(7). */
export function isAppArmorEnabled(sysfs = '/sys'): boolean {
  if (!existsSync(join(sysfs, 'kernel/security/apparmor'))) return false;
  try {
    return readFileSync(join(sysfs, 'module/apparmor/parameters/enabled'), 'utf8').startsWith('Y');
  } catch {
    return false;
  }
}

/** Reads what there is, and loads our profile where none of its name is loaded: another engine's serves as well. */
export function openAppArmor(options: {
  readonly logger: Logger;
  readonly sysfs?: string;
  readonly load?: ProfileLoader;
}): AppArmorHost {
  const { logger, sysfs = '/sys', load = loadProfile } = options;
  if (!isAppArmorEnabled(sysfs))
    return { isEnabled: false, defaultProfile: undefined, ensureLoaded: () => {} };
  const ensureLoaded = (): void => {
    if (!loadedProfiles(sysfs).includes(DEFAULT_APPARMOR_PROFILE)) load(DEFAULT_APPARMOR_TEXT);
  };
  try {
    ensureLoaded();
    return { isEnabled: true, defaultProfile: DEFAULT_APPARMOR_PROFILE, ensureLoaded };
  } catch (error) {
    logger.warn('AppArmor is on, but the default profile could not be loaded: containers run without', {
      profile: DEFAULT_APPARMOR_PROFILE,
      reason: errorMessage(error),
    });
    return { isEnabled: true, defaultProfile: undefined, ensureLoaded: () => {} };
  }
}

/** Lines such as `docker-default (enforce)`. */
function loadedProfiles(sysfs: string): string[] {
  try {
    const text = readFileSync(join(sysfs, 'kernel/security/apparmor/profiles'), 'utf8');
    return text.split('\n').map((line) => line.replace(/ \(\w+\)$/, ''));
  } catch {
    return [];
  }
}

const PARSER = 'apparmor_parser';

/** Without a file it reads standard input; the cache is not ours to write. */
function loadProfile(profile: string): void {
  if (Bun.which(PARSER) === null) throw internal(`${PARSER} not found`);
  const { exitCode, stderr } = Bun.spawnSync([PARSER, '--skip-cache', '--replace'], {
    stdin: Buffer.from(profile),
    stdout: 'ignore',
  });
  if (exitCode !== 0) throw internal(`${PARSER}: ${stderr.toString().trim()}`);
}
