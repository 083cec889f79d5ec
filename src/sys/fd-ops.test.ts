import { afterEach, beforeEach, expect, test } from 'bun:test';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { createFdOps } from './fd-ops.ts';
import { createFakeSys } from './testing/fake-sys.ts';

let dir: string;
let fd: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-fd-'));
  fd = openSync(join(dir, 'f'), 'w+');
});
afterEach(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

test('futimens: keeps nanoseconds, also before 1970', () => {
  const ops = createFdOps();
  for (const mtimeNs of [0n, 1n, -1n, -1_500_000_000n, 1_700_000_000_123_456_789n]) {
    ops.futimens(fd, { atimeNs: mtimeNs, mtimeNs });
    expect(fstatSync(fd, { bigint: true }).mtimeNs).toBe(mtimeNs);
  }
});

test('write: writes everything at the offset, and nothing of nothing', () => {
  const ops = createFdOps();
  ops.write(fd, new TextEncoder().encode('one'));
  ops.write(fd, new Uint8Array());
  ops.write(fd, new TextEncoder().encode('-two-').subarray(1));
  expect(readFileSync(join(dir, 'f'), 'utf8')).toBe('onetwo-');
});

test('fchmod and fchown: set what stat reports', () => {
  const ops = createFdOps();
  ops.fchmod(fd, 0o4711);
  expect(fstatSync(fd).mode & 0o7777).toBe(0o4711);
  const { uid, gid } = fstatSync(fd);
  ops.fchown(fd, uid, gid);
  expect(fstatSync(fd)).toMatchObject({ uid, gid });
});

test('every call reports a closed descriptor', () => {
  const ops = createFdOps();
  const calls = [
    () => ops.fchown(-1, 0, 0),
    () => ops.fchmod(-1, 0),
    () => ops.futimens(-1, { atimeNs: 0n, mtimeNs: 0n }),
    () => ops.fsetXattr(-1, 'user.x', Uint8Array.of(1)),
    () => ops.write(-1, Uint8Array.of(1)),
    () => ops.close(-1),
  ];
  for (const call of calls) {
    try {
      call();
      expect.unreachable();
    } catch (error) {
      expect(errnoCode(error)).toBe('EBADF');
    }
  }
});

test("the fake's fdOps: what they record is what its RootedDir reports", () => {
  const sys = createFakeSys();
  sys.fdOps.fchown(fd, 1234, 5678);
  sys.fdOps.fsetXattr(fd, 'security.capability', Uint8Array.of(1));
  using root = sys.files.openRoot(dir);
  expect(root.stat('f')).toMatchObject({ uid: 1234, gid: 5678 });
  expect(root.lgetXattr('f', 'security.capability')).toEqual(Uint8Array.of(1));
  expect(sys.files.listXattrs(join(dir, 'f'))).toEqual(['security.capability']);
});
