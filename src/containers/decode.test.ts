import { expect, test } from 'bun:test';
import { decodeContainer } from './decode.ts';
import { configFixture, containerFixture, hostConfigFixture } from './testing/index.ts';

const MOUNT = { type: 'volume', name: 'data', source: '/s', destination: '/d' };
const EXITED = { status: 'exited', startedAt: 'a', finishedAt: 'b', exitCode: 0, oomKilled: false };
const IMAGE = { id: 'sha256:1', key: 'k' };

test.each([
  [{ mounts: [MOUNT, { ...MOUNT, image: IMAGE }] }],
  [{ state: EXITED }],
  [{ state: { status: 'running', pid: 1, startedAt: 'a' } }],
  [{ state: { status: 'dead', error: 'busy', previous: EXITED } }],
  [{ portRequests: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 }] }],
])('decodeContainer: takes %j', (parts) => {
  const stored = { ...containerFixture(), ...parts };
  expect(decodeContainer(stored) as unknown).toEqual(stored);
});

const hostConfig = (parts: object) => ({ hostConfig: { ...hostConfigFixture(), ...parts } });
const config = (parts: object) => ({ config: { ...configFixture(), ...parts } });

test.each([
  [{ mounts: [null] }, 'mounts'],
  [{ mounts: [{ type: 'volume' }] }, 'mounts'],
  [{ mounts: [{ ...MOUNT, image: 'k' }] }, 'mounts'],
  [{ portRequests: [null] }, 'portRequests'],
  [{ args: [null] }, 'args'],
  [{ endpoints: { bridge: null } }, 'endpoints'],
  [{ restartCount: undefined }, 'restartCount'],
  [{ hostConfig: {} }, 'hostConfig'],
  [hostConfig({ restartPolicy: { name: 'sometimes', maximumRetryCount: 0 } }), 'hostConfig'],
  [hostConfig({ restartPolicy: undefined }), 'hostConfig'],
  [hostConfig({ logConfig: {} }), 'hostConfig'],
  [hostConfig({ networkMode: null }), 'hostConfig'],
  [hostConfig({ autoRemove: 'no' }), 'hostConfig'],
  [config({ labels: null }), 'config'],
  [config({ env: 'A=b' }), 'config'],
  [{ state: { status: 'exited' } }, 'state'],
  [{ state: { status: 'running', pid: 1 } }, 'state'],
  [{ state: { ...EXITED, health: { status: 'healthy' } } }, 'state'],
  [{ state: { status: 'removing', previous: { status: 'running' } } }, 'state'],
])('decodeContainer: refuses %j', (parts, what) => {
  expect(() => decodeContainer({ ...containerFixture(), ...parts })).toThrow(`no usable ${what}`);
});
