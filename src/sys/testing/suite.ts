import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { S_IFCHR, S_IFMT } from '../constants.ts';
import type { Sys } from '../types.ts';

/** An implementation of `Sys` for the contract suite. */
export interface SysUnderTest {
  readonly name: string;
  readonly create: () => Sys;
  /** The name of a cgroup that nothing else uses. */
  readonly cgroup: string;
}

/** What every implementation of `Sys` holds; the fake runs it as a unit test, the kernel's as root. */
export function describeSysContract({ name, create, cgroup }: SysUnderTest): void {
  describe(`Sys contract: ${name}`, () => {
    let sys: Sys;
    let dir: string;
    let undo: (() => void)[];

    beforeEach(() => {
      sys = create();
      dir = mkdtempSync(join(tmpdir(), 'gantry-sys-contract-'));
      undo = [() => rmSync(dir, { recursive: true })];
    });
    afterEach(() => {
      for (const action of undo.toReversed()) action();
    });

    const makeNetwork = (base: string, from?: string): string => {
      const path = join(dir, base);
      sys.namespaces.createNetwork(path, ...(from === undefined ? [] : [{ from }]));
      undo.push(() => sys.namespaces.removeNetwork(path));
      return path;
    };
    const openNetlink = (path: string) => {
      const socket = sys.openNetlink(path);
      undo.push(() => socket[Symbol.dispose]());
      return socket;
    };
    const codeOf = (action: () => unknown): string | undefined => {
      try {
        action();
      } catch (error) {
        return errnoCode(error);
      }
      return undefined;
    };

    test('createNetwork: a new namespace has its loopback up and nothing else', () => {
      const links = openNetlink(makeNetwork('a')).links();
      expect(links.map((link) => [link.name, link.up])).toEqual([['lo', true]]);
    });

    test('createUser: its network namespace can be pinned and outlives it', () => {
      const mappings = { uids: [{ containerID: 0, hostID: 300_000, size: 10 }], gids: [] };
      const user = sys.namespaces.createUser(mappings, { network: true });
      const path = makeNetwork('a', user.networkPath);
      user[Symbol.dispose]();
      expect(openNetlink(path).links()).toMatchObject([{ name: 'lo', up: true }]);
      using without = sys.namespaces.createUser(mappings);
      expect(without.networkPath).toBeUndefined();
    });

    test('removeNetwork: forgets the namespace, also when it is gone', () => {
      const path = makeNetwork('a');
      sys.namespaces.removeNetwork(path);
      sys.namespaces.removeNetwork(path);
      expect(codeOf(() => sys.openNetlink(path))).toBe('ENOENT');
    });

    test('withNetwork: runs inside and returns, also after an error', () => {
      const path = makeNetwork('a');
      const inside = openNetlink(path);
      inside.createBridge('only-here');
      const names = sys.namespaces.withNetwork(path, () => {
        using socket = sys.openNetlink();
        return socket.links().map((link) => link.name);
      });
      expect(names).toContain('only-here');
      expect(() =>
        sys.namespaces.withNetwork(path, () => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      using outside = sys.openNetlink();
      expect(outside.link('only-here')).toBeUndefined();
    });

    test('createBridge: keeps mtu and mac, refuses a second of the name', () => {
      const socket = openNetlink(makeNetwork('a'));
      socket.createBridge('br0', { mtu: 1400, mac: '02:42:00:00:00:01' });
      expect(socket.link('br0')).toMatchObject({
        kind: 'bridge',
        mtu: 1400,
        mac: '02:42:00:00:00:01',
        up: false,
        masterIndex: undefined,
      });
      expect(codeOf(() => socket.createBridge('br0'))).toBe('EEXIST');
      expect(codeOf(() => socket.createBridge('sixteen-letters!'))).toBe('EINVAL');
    });

    test('createVeth: the peer is born in its namespace with its name and mac', () => {
      const [near, far] = [makeNetwork('a'), makeNetwork('b')];
      const [a, b] = [openNetlink(near), openNetlink(far)];
      a.createBridge('br0');
      const options = { name: 'v0', peerName: 'eth0', peerNetns: far, peerMac: '02:42:ac:11:00:02' };
      a.createVeth({ ...options, master: 'br0', mtu: 1400, up: true });
      expect(a.link('v0')).toMatchObject({
        kind: 'veth',
        mtu: 1400,
        up: true,
        masterIndex: a.link('br0')?.index,
      });
      expect(b.link('eth0')).toMatchObject({ kind: 'veth', mtu: 1400, mac: '02:42:ac:11:00:02' });
      expect(a.link('eth0')).toBeUndefined();
      a.deleteLink('v0');
      expect(b.link('eth0')).toBeUndefined();
    });

    test('setLink: changes up, mac, mtu, master and hairpin', () => {
      const [near, far] = [makeNetwork('a'), makeNetwork('b')];
      const a = openNetlink(near);
      a.createBridge('br0');
      a.createVeth({ name: 'v0', peerName: 'eth0', peerNetns: far });
      a.setLink('v0', { up: true, mac: '02:42:00:00:00:09', mtu: 1300, master: 'br0', hairpin: true });
      expect(a.link('v0')).toMatchObject({
        up: true,
        mac: '02:42:00:00:00:09',
        mtu: 1300,
        masterIndex: a.link('br0')?.index,
      });
      a.setLink('v0', { up: false, master: null });
      expect(a.link('v0')).toMatchObject({ up: false, masterIndex: undefined });
      expect(codeOf(() => a.setLink('nope', { up: true }))).toBe('ENODEV');
    });

    test('addAddress: both families, each only once', () => {
      const socket = openNetlink(makeNetwork('a'));
      socket.createBridge('br0');
      socket.addAddress('br0', '172.30.0.1/16');
      socket.addAddress('br0', 'fd00:0:0::1/64');
      const index = socket.link('br0')?.index;
      expect(socket.addresses('br0')).toEqual([
        { linkIndex: index ?? 0, address: '172.30.0.1', prefixLength: 16 },
        { linkIndex: index ?? 0, address: 'fd00::1', prefixLength: 64 },
      ]);
      expect(codeOf(() => socket.addAddress('br0', '172.30.0.1/16'))).toBe('EEXIST');
      socket.removeAddress('br0', '172.30.0.1/16');
      expect(socket.addresses('br0')).toHaveLength(1);
      expect(codeOf(() => socket.removeAddress('br0', '172.30.0.1/16'))).toBe('EADDRNOTAVAIL');
      expect(codeOf(() => socket.addAddress('br0', '1.2.3/8'))).toBe('EINVAL');
    });

    test('addRoute: default by a reachable gateway and a network by a link', () => {
      const socket = openNetlink(makeNetwork('a'));
      socket.createBridge('br0');
      socket.setLink('br0', { up: true });
      socket.addAddress('br0', '172.30.0.2/16');
      socket.addRoute({ gateway: '172.30.0.1' });
      socket.addRoute({ destination: '10.1.0.0/16', linkName: 'br0' });
      const linkIndex = socket.link('br0')?.index ?? 0;
      expect(socket.routes()).toContainEqual({ destination: undefined, gateway: '172.30.0.1', linkIndex });
      expect(socket.routes()).toContainEqual({ destination: '10.1.0.0/16', gateway: undefined, linkIndex });
      expect(codeOf(() => socket.addRoute({ gateway: '9.9.9.9' }))).toBe('ENETUNREACH');
    });

    test('bind: is listed until it is unmounted', () => {
      const [source, target] = [join(dir, 'source'), join(dir, 'target')];
      for (const path of [source, target]) mkdirSync(path);
      sys.mounts.bind(source, target, { readonly: true });
      const found = sys.mounts.list().filter((mount) => mount.target === target);
      expect(found.map((mount) => mount.options.includes('ro'))).toEqual([true]);
      sys.mounts.unmount(target);
      expect(sys.mounts.list().some((mount) => mount.target === target)).toBe(false);
      expect(codeOf(() => sys.mounts.unmount(target))).toBe('EINVAL');
    });

    test('clone: is nowhere until it is attached', () => {
      const [source, target] = [join(dir, 'source'), join(dir, 'target')];
      for (const path of [source, target]) mkdirSync(path);
      const before = sys.mounts.idOf(target);
      const copy = sys.mounts.clone(source, { recursive: true });
      expect(sys.mounts.list().some((mount) => mount.target === target)).toBe(false);
      sys.mounts.attach(copy, target);
      sys.processes.closeFd(copy);
      const found = sys.mounts.list().find((mount) => mount.target === target);
      expect(sys.mounts.idOf(target)).toBe(found?.id ?? 0);
      expect(sys.mounts.idOf(target)).not.toBe(before);
      sys.mounts.unmount(target);
      expect(sys.mounts.idOf(target)).toBe(before);
    });

    test('mountOverlay: is listed with its type', () => {
      const names = ['lower', 'upper', 'work', 'merged'] as const;
      for (const base of names) mkdirSync(join(dir, base));
      const target = join(dir, 'merged');
      const [lower, upperdir, workdir] = [join(dir, 'lower'), join(dir, 'upper'), join(dir, 'work')];
      sys.mounts.mountOverlay({ lowerdirs: [lower], upperdir, workdir, target });
      const found = sys.mounts.list().find((mount) => mount.target === target);
      expect(found?.fstype).toBe('overlay');
      expect(found?.superOptions).toContain(`upperdir=${upperdir}`);
      sys.mounts.unmount(target);
    });

    test('RootedDir: reports owner, device and attributes that were set', () => {
      using root = sys.files.openRoot(dir);
      root.mkdir('d', 0o755);
      root.lchown('d', 1234, 5678);
      root.lsetXattr('d', 'trusted.gantry', Uint8Array.of(1, 2));
      root.mknod('d/null', S_IFCHR | 0o600, { major: 1, minor: 3 });
      expect(root.stat('d')).toMatchObject({ uid: 1234, gid: 5678 });
      expect(root.lgetXattr('d', 'trusted.gantry')).toEqual(Uint8Array.of(1, 2));
      expect(root.llistXattrs('d')).toContain('trusted.gantry');
      expect((root.stat('d/null')?.mode ?? 0) & S_IFMT).toBe(S_IFCHR);
      expect(root.stat('d/null')?.rdev).toEqual({ major: 1, minor: 3 });
      root.remove('d');
      expect(root.stat('d')).toBeUndefined();
      root.mkdir('d', 0o755);
      expect(root.stat('d')?.uid).not.toBe(1234);
      expect(root.lgetXattr('d', 'trusted.gantry')).toBeUndefined();
    });

    test('cgroups: a created one keeps what is written, a removed one is gone', () => {
      const path = `/${cgroup}/inner`;
      sys.cgroups.create(path);
      undo.push(() => sys.cgroups.remove(`/${cgroup}`));
      sys.cgroups.write('pids', path, 'pids.max', '77');
      expect(sys.cgroups.read('pids', path, 'pids.max')).toBe('77');
      expect(sys.cgroups.processes(path)).toEqual([]);
      sys.cgroups.remove(`/${cgroup}`);
      expect(sys.cgroups.read('pids', path, 'pids.max')).toBeUndefined();
      expect(codeOf(() => sys.cgroups.write('pids', path, 'pids.max', '1'))).toBe('ENOENT');
      expect(codeOf(() => sys.cgroups.create('/a/../../b'))).toBe('EINVAL');
    });

    test('processes: a process that does not exist cannot be signalled', () => {
      // The largest PID the kernel ever gives is 2^22.
      expect(sys.processes.kill(2 ** 22 + 1, 0)).toBe(false);
      expect(codeOf(() => sys.processes.pidfdOpen(2 ** 22 + 1))).toBe('ESRCH');
    });

    test('umask: returns the former mask', () => {
      const former = sys.processes.umask(0o027);
      undo.push(() => sys.processes.umask(former));
      expect(sys.processes.umask(0o027)).toBe(0o027);
    });
  });
}
