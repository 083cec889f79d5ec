import { readFile } from 'node:fs/promises';
import { internal, type TarHeaderInit, type TarInput, writeTar } from '#base';
import { runCommand } from './command.ts';

const LIST_TIMEOUT_MS = 10_000;
const DIRECTORIES: readonly string[] = [
  'bin',
  'dev',
  'etc',
  'home',
  'proc',
  'root',
  'sys',
  'tmp',
  'usr',
  'usr/bin',
  'usr/sbin',
  'var',
  'var/spool',
  'var/spool/mail',
  'var/www',
];
const MODES: Readonly<Record<string, number>> = { tmp: 0o1777, root: 0o700 };

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
  'bin:x:2:2:bin:/bin:/bin/false',
  'sys:x:3:3:sys:/dev:/bin/false',
  'mail:x:8:8:mail:/var/spool/mail:/bin/false',
  'www-data:x:33:33:www-data:/var/www:/bin/false',
  'nobody:x:65534:65534:nobody:/home:/bin/false',
];
const GROUP = [
  'root:x:0:',
  'daemon:x:1:',
  'bin:x:2:',
  'sys:x:3:',
  'adm:x:4:',
  'tty:x:5:',
  'disk:x:6:',
  'mail:x:8:',
  'wheel:x:10:root',
  'audio:x:29:',
  'www-data:x:33:',
  'utmp:x:43:',
  'video:x:44:',
  'staff:x:50:',
  'users:x:100:',
  'nogroup:x:65534:',
];

/** Instructions for the image's config. */
export const BUSYBOX_CHANGES: readonly string[] = [
  'CMD ["sh"]',
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

/**
 * A root file system of the busybox binary and a link for each applet that it lists. The same binary gives the
 * same bytes.
 */
export async function* busyboxRootfs(
  binary: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const applets = await listApplets(binary, options.signal);
  yield* writeTar(members(await readFile(binary), applets));
}

async function listApplets(binary: string, signal: AbortSignal | undefined): Promise<string[]> {
  const chunks: Uint8Array[] = [];
  const command = [binary, '--list'] as const;
  for await (const chunk of runCommand([...command], { timeoutMs: LIST_TIMEOUT_MS, signal }))
    chunks.push(chunk);
  const names = Buffer.concat(chunks).toString().split('\n').filter(Boolean);
  const odd = names.find((name) => !/^[\w.[+-]+$/.test(name));
  if (odd !== undefined || names.length === 0) throw internal(`${binary} --list gives no applet names`);
  return [...new Set(names)].filter((name) => name !== 'busybox').sort();
}

function* members(binary: Uint8Array, applets: readonly string[]): Generator<TarInput, void, undefined> {
  for (const path of DIRECTORIES) yield { header: header(`${path}/`, 'directory', MODES[path] ?? 0o755) };
  yield { header: header('bin/busybox', 'file', 0o755), body: binary };
  for (const applet of applets) {
    yield { header: { ...header(`bin/${applet}`, 'symlink', 0o777), linkPath: 'busybox' } };
  }
  yield { header: header('etc/passwd', 'file', 0o644), body: lines(PASSWD) };
  yield { header: header('etc/group', 'file', 0o644), body: lines(GROUP) };
  yield {
    header: header('etc/shadow', 'file', 0o640),
    body: lines(PASSWD.map((line) => `${line.split(':', 1)[0]}:*:::::::`)),
  };
}

const header = (path: string, type: 'file' | 'directory' | 'symlink', mode: number): TarHeaderInit => ({
  path,
  type,
  mode,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
});

const lines = (text: readonly string[]): string => `${text.join('\n')}\n`;
