import { encodeTarHeader, type TarHeaderInit, type TarInput, tarPadding, writeTar } from '#base';

/** A layer archive in memory. */
export async function layerTar(members: readonly TarInput[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const file = (
  path: string,
  body: string | Uint8Array = '',
  header: Partial<TarHeaderInit> = {},
): TarInput => ({
  header: { ...header, path },
  body,
});
export const directory = (path: string, header: Partial<TarHeaderInit> = {}): TarInput => ({
  header: { ...header, path, type: 'directory' },
});
export const symlink = (path: string, linkPath: string): TarInput => ({
  header: { path, type: 'symlink', linkPath, mode: 0o777 },
});
export const hardlink = (path: string, linkPath: string): TarInput => ({
  header: { path, type: 'hardlink', linkPath },
});
export const character = (path: string, devMajor: number, devMinor: number): TarInput => ({
  header: { path, type: 'character', devMajor, devMinor },
});

/** A header block changed after encoding, with its checksum put right. */
export function tamperedHeader(init: TarHeaderInit, change: (block: Buffer) => void): Buffer {
  const block = Buffer.from(encodeTarHeader(init));
  change(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A PAX header with the records as given, right or wrong. */
export function paxHeader(body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body);
  const header = tamperedHeader({ path: 'pax', size: bytes.length }, (block) =>
    block.write('x', 156, 'latin1'),
  );
  return Buffer.concat([header, bytes, tarPadding(bytes.length)]);
}

/** One well-formed PAX record. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}
