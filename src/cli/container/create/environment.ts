import { errnoCode, errorMessage } from '#base';
import { cliError } from '../../core/errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The environment of `--env-file` and `--env`, in this order. A name without a value takes the one of this process;
 * from a file it is left out when there is none, from the command line it stays bare and unsets the image's.
 */
export async function readEnvironment(
  files: readonly string[],
  inline: readonly string[],
  env: Env,
): Promise<string[]> {
  const lines: string[] = [];
  for (const path of files) {
    for (const line of await readKeyValueFile(path)) {
      if (line.includes('=')) lines.push(line);
      else if (env[line] !== undefined) lines.push(`${line}=${env[line]}`);
    }
  }
  for (const item of inline) {
    lines.push(item.includes('=') || env[item] === undefined ? item : `${item}=${env[item]}`);
  }
  return lines;
}

/** Labels of `--label-file` and `--label`; a later one wins. */
export async function readLabels(
  files: readonly string[],
  inline: readonly string[],
): Promise<Record<string, string>> {
  const fromFiles = (await Promise.all(files.map(readKeyValueFile)))
    .flat()
    .filter((line) => line.includes('='));
  return toMap([...fromFiles, ...inline]);
}

/** `key=value` texts as a map; a bare key has an empty value. */
export function toMap(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/**
 * Reads lines of `NAME=value` or `NAME`; empty lines and lines starting with `#` are skipped.
 * @throws for a name with white space or without a name, with docker's texts.
 */
export async function readKeyValueFile(path: string): Promise<string[]> {
  const text = await readText(path);
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return lines.flatMap((raw) => {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) return [];
    const equals = line.indexOf('=');
    const name = equals < 0 ? line : line.slice(0, equals);
    const bad = (reason: string) => cliError(`invalid env file (${path}): ${reason}`);
    if (name === '') throw bad(`no variable name on line '${line}'`);
    if (equals >= 0 && /\s/.test(name)) throw bad(`variable '${name}' contains whitespaces`);
    return equals < 0 ? [name.trim()] : [line];
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await Bun.file(path).text();
  } catch (error) {
    if (errnoCode(error) === 'EISDIR')
      throw cliError(`invalid env file (${path}): read ${path}: is a directory`, { cause: error });
    const reason = errnoCode(error) === 'ENOENT' ? 'no such file or directory' : errorMessage(error);
    throw cliError(`open ${path}: ${reason}`, { cause: error });
  }
}
