import { open } from 'node:fs/promises';

const ELF_MAGIC = 0x7f454c46;
const PT_INTERP = 3;
const HEAD_BYTES = 64;

/**
 * Whether an ELF program runs without a dynamic loader, so that it works alone in an empty root file system.
 * Little-endian 64-bit programs only, as all our platforms have them. Source: elf(5).
 */
export async function isStaticProgram(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  const head = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
  if (bytesRead < HEAD_BYTES || head.readUInt32BE(0) !== ELF_MAGIC) return false;
  const tableAt = Number(head.readBigUInt64LE(0x20));
  const entryBytes = head.readUInt16LE(0x36);
  const entries = head.readUInt16LE(0x38);
  const table = Buffer.alloc(entryBytes * entries);
  await file.read(table, 0, table.length, tableAt);
  for (let at = 0; at + 4 <= table.length; at += entryBytes) {
    if (table.readUInt32LE(at) === PT_INTERP) return false;
  }
  return entries > 0;
}
