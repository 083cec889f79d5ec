import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSys } from '#sys';

const DEVICE = '/dev/fuse';

/** Whether {@link deadFileSystem} can be made. */
export const HAS_FUSE = existsSync(DEVICE);

/** A file system whose server never answers: who looks up a name in it waits. Its end is an error for them. */
export function deadFileSystem(): Disposable & { readonly path: string } {
  const { mounts } = createSys();
  const path = mkdtempSync(join(tmpdir(), 'gantry-dead-'));
  const fd = openSync(DEVICE, 'r+');
  const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0`;
  mounts.mount({ source: 'dead', target: path, fstype: 'fuse', data });
  return {
    path,
    [Symbol.dispose]: () => {
      closeSync(fd);
      mounts.unmount(path, { detach: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}
