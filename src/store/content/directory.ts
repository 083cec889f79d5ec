import { open } from 'node:fs/promises';

/** Makes the entries of a directory durable (a rename into it survives a power cut). */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
