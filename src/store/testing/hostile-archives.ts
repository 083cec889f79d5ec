import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeTarHeader, tarEnd } from '#base';
import {
  character,
  directory,
  file,
  hardlink,
  layerTar,
  paxHeader,
  paxRecord,
  symlink,
  tamperedHeader,
} from './archives.ts';

/** One archive that wants to do harm. */
export interface HostileArchive {
  readonly name: string;
  /**
   * `refused`: applying it must throw `invalid_argument` and leave nothing. `contained`: it may be applied, but nothing outside the
   * layer changes.
   */
  readonly expected: 'refused' | 'contained';
  /** @param outside is an absolute directory outside the layer with a file `canary` in it. */
  build(outside: string): Promise<Uint8Array>;
}

const refused = (name: string, build: HostileArchive['build']): HostileArchive => ({
  name,
  expected: 'refused',
  build,
});
const contained = (name: string, build: HostileArchive['build']): HostileArchive => ({
  name,
  expected: 'contained',
  build,
});
const CLIMB = '../'.repeat(30);
const EVIL = 'overwritten';

/** The corpus: every way out of a layer that archives have been known to try. */
export const HOSTILE_ARCHIVES: readonly HostileArchive[] = [
  refused('name with ..', (outside) => layerTar([file(`${CLIMB}${outside}/canary`, EVIL)])),
  refused('name with .. after a directory', (outside) =>
    layerTar([directory('a'), file(`a/../../${CLIMB}${outside}/canary`, EVIL)]),
  ),
  refused('name that is ..', () => layerTar([directory('..', { mode: 0o777 })])),
  contained('absolute name', (outside) => layerTar([file(`${outside}/canary`, EVIL)])),
  contained('absolute name with ..', (outside) => layerTar([file(`/../../..${outside}/canary`, EVIL)])),
  contained('absolute symlink, then write through it', (outside) =>
    layerTar([symlink('out', outside), file('out/canary', EVIL), file('out/new', EVIL)]),
  ),
  contained('relative symlink, then write through it', (outside) =>
    layerTar([symlink('out', `${CLIMB}${outside}`), file('out/canary', EVIL)]),
  ),
  contained('chain of symlinks, then write through them', (outside) =>
    layerTar([symlink('a', '/'), symlink('b', `a${outside}`), symlink('c', 'b'), file('c/canary', EVIL)]),
  ),
  contained('symlink of the same name as a later file', (outside) =>
    layerTar([symlink('f', `${outside}/canary`), file('f', EVIL)]),
  ),
  contained('symlink of the same name as a later directory', (outside) =>
    layerTar([symlink('d', outside), directory('d', { mode: 0o777 }), file('d/canary', EVIL)]),
  ),
  contained('symlink loop', () => layerTar([symlink('a', 'b'), symlink('b', 'a'), file('c', EVIL)])),
  refused('write through a symlink loop', () =>
    layerTar([symlink('a', 'b'), symlink('b', 'a'), file('a/c', EVIL)]),
  ),
  refused('write through a symlink into /proc/self/fd', () =>
    layerTar([symlink('p', '/proc/self/fd/3'), file('p/x', EVIL)]),
  ),
  refused('hard link to an absolute path outside', (outside) =>
    layerTar([hardlink('h', `${outside}/canary`), file('h', EVIL)]),
  ),
  refused('hard link with ..', (outside) => layerTar([hardlink('h', `${CLIMB}${outside}/canary`)])),
  refused('hard link through a symlink to the outside', (outside) =>
    layerTar([symlink('out', outside), hardlink('h', 'out/canary'), file('h', EVIL)]),
  ),
  contained('hard link to a symlink, then write through it', (outside) =>
    layerTar([symlink('s', `${outside}/canary`), hardlink('h', 's'), file('h', EVIL)]),
  ),
  refused('hard link to a directory', () => layerTar([directory('d'), hardlink('h', 'd')])),
  refused('hard link to itself', () => layerTar([hardlink('h', 'h')])),
  refused('hard link without a target', () => layerTar([hardlink('h', '')])),
  refused('symlink without a target', () => layerTar([symlink('s', '')])),
  contained('device node of the root disk', () =>
    layerTar([{ header: { path: 'disk', type: 'block', devMajor: 254, devMinor: 0, mode: 0o666 } }]),
  ),
  contained('device node 0:0', () => layerTar([character('zero', 0, 0)])),
  contained('file under a device node of the same name', () =>
    layerTar([character('x', 1, 3), file('x', EVIL)]),
  ),
  refused('member below a file', () => layerTar([file('f'), file('f/x', EVIL)])),
  contained('one name many times, each of another type', (outside) =>
    layerTar([
      file('x', 'a'),
      directory('x'),
      file('x/y', 'b'),
      symlink('x', outside),
      file('x', EVIL),
      directory('x'),
      symlink('x', outside),
      directory('x'),
    ]),
  ),
  refused('NUL in a PAX name', async () =>
    Buffer.concat([paxHeader(paxRecord('path', 'a\0/../../b')), encodeTarHeader({ path: 'x' }), tarEnd()]),
  ),
  refused('NUL in a PAX link target', async () =>
    Buffer.concat([
      paxHeader(paxRecord('linkpath', 'a\0b')),
      encodeTarHeader({ path: 'x', type: 'symlink', linkPath: 'y' }),
    ]),
  ),
  refused('PAX name with ..', async (outside) =>
    Buffer.concat([
      paxHeader(paxRecord('path', `${CLIMB}${outside}/canary`)),
      encodeTarHeader({ path: 'harmless' }),
      tarEnd(),
    ]),
  ),
  refused('name longer than a path may be', () => layerTar([file('long/'.repeat(2000), EVIL)])),
  refused('PAX header of 4 GB', async () =>
    tamperedHeader({ path: 'bomb', size: 2 ** 32 }, (block) => block.write('x', 156, 'latin1')),
  ),
  refused('component longer than a name may be', () => layerTar([file('n'.repeat(300), EVIL)])),
  refused('sparse file of 8 EB', async () =>
    Buffer.concat([
      paxHeader(
        ['major=1', 'minor=0', `realsize=${Number.MAX_SAFE_INTEGER}`, 'name=bomb']
          .map((record) => paxRecord(`GNU.sparse.${record.split('=')[0]}`, record.split('=')[1] ?? ''))
          .join(''),
      ),
      encodeTarHeader({ path: 'bomb', size: 512 }),
      Buffer.from('0\n'.padEnd(512, '\0')),
      tarEnd(),
    ]),
  ),
  refused('sparse map that writes beyond its file', async () =>
    Buffer.concat([
      paxHeader(
        paxRecord('GNU.sparse.map', '4096,1') +
          paxRecord('GNU.sparse.numblocks', '1') +
          paxRecord('GNU.sparse.size', '10'),
      ),
      encodeTarHeader({ path: 'bomb', size: 1 }),
      Buffer.alloc(512),
    ]),
  ),
  refused('negative size', async () => tamperedHeader({ path: 'x' }, (block) => block.fill(0xff, 124, 136))),
  refused('owner -1', async () => tamperedHeader({ path: 'x' }, (block) => block.fill(0xff, 108, 116))),
  refused('empty name', async () => tamperedHeader({ path: 'x' }, (block) => block.fill(0, 0, 100))),
  refused('file named .', () => layerTar([file('.', EVIL)])),
  refused('symlink in the place of the root', (outside) => layerTar([symlink('./', outside)])),
  contained('root directory with odd mode and owner', () =>
    layerTar([directory('./', { mode: 0o7777, uid: 4_000_000_000 })]),
  ),
  refused('whiteout of ..', () => layerTar([file('a/.wh...')])),
  refused('whiteout of .', () => layerTar([file('a/.wh..')])),
  refused('whiteout of nothing', () => layerTar([file('.wh.')])),
  contained('whiteout through a symlink to the outside', (outside) =>
    layerTar([symlink('out', outside), file('out/.wh.canary')]),
  ),
  refused('whiteout below ..', (outside) => layerTar([file(`${CLIMB}${outside}/.wh.canary`)])),
  contained('opaque mark through a symlink to the outside', (outside) =>
    layerTar([symlink('out', outside), file('out/.wh..wh..opq')]),
  ),
  contained('AUFS bookkeeping', (outside) =>
    layerTar([
      file('.wh..wh.aufs'),
      directory('.wh..wh.plnk'),
      symlink('.wh..wh.plnk/1', outside),
      file('.wh..wh.plnk/1/canary', EVIL),
    ]),
  ),
  contained('overlayfs marks as attributes', () =>
    layerTar([
      directory('etc', { xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]) }),
      file('redirect', EVIL, { xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/etc/shadow')]]) }),
    ]),
  ),
  refused('cut in the middle of a file', async () =>
    (await layerTar([file('x', 'y'.repeat(5000))])).subarray(0, 3000),
  ),
  refused('checksum that does not match', async () =>
    Buffer.from(encodeTarHeader({ path: 'x' })).fill('y', 0, 1),
  ),
  refused('bytes that are no archive', async () => Buffer.alloc(100_000, 'not a tar archive ')),
  refused('broken gzip data', async () =>
    Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(500, 'x')]),
  ),
  refused('cut gzip data', async () => {
    const packed = gzipSync(
      await layerTar([file('x', Buffer.from(crypto.getRandomValues(new Uint8Array(20_000))))]),
    );
    return packed.subarray(0, packed.length / 2);
  }),
  refused('broken zstd data', async () =>
    Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.alloc(500, 'x')]),
  ),
  refused('cut zstd data', async () => {
    const packed = zstdCompressSync(
      await layerTar([file('x', Buffer.from(crypto.getRandomValues(new Uint8Array(20_000))))]),
    );
    return packed.subarray(0, packed.length / 2);
  }),
];
