import { errnoCode, errorMessage } from '#base';
import { cliError } from '../../core/errors.ts';

export interface SecurityPart {
  readonly options: readonly string[] | null;
  /** Empty: nothing is masked. Null: the daemon's default. */
  readonly maskedPaths: readonly string[] | null;
  readonly readonlyPaths: readonly string[] | null;
}

/**
 * `--security-opt` values. A seccomp profile is read here, because the daemon may not see this file system; the options
 * for system paths become fields of their own.
 */
export async function toSecurityPart(texts: readonly string[]): Promise<SecurityPart> {
  const options: string[] = [];
  let systemPathsOpen = false;
  for (const text of texts) {
    if (text === 'systempaths=unconfined') systemPathsOpen = true;
    else options.push(await normalize(text));
  }
  const paths = systemPathsOpen ? [] : null;
  return { options: options.length > 0 ? options : null, maskedPaths: paths, readonlyPaths: paths };
}

async function normalize(text: string): Promise<string> {
  const match = /^([^=:]*)[=:](.*)$/s.exec(text);
  if (!match) {
    if (text === 'no-new-privileges') return text;
    throw cliError(`Invalid --security-opt: ${JSON.stringify(text)}`);
  }
  const value = match[2] ?? '';
  if (match[1] !== 'seccomp' || value === 'unconfined' || value === 'builtin') return text;
  return `seccomp=${await readProfile(value)}`;
}

async function readProfile(path: string): Promise<string> {
  const text = await Bun.file(path)
    .text()
    .catch((error: unknown) => {
      const reason =
        errnoCode(error) === 'ENOENT' ? `open ${path}: no such file or directory` : errorMessage(error);
      throw cliError(`opening seccomp profile (${path}) failed: ${reason}`, { cause: error });
    });
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw cliError(`compacting json for seccomp profile (${path}) failed: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
