import { expect, test } from 'bun:test';
import { hostConfigFixture } from '../testing/index.ts';
import { userNamespaceOf } from './user-namespace.ts';

const range = { containerID: 0, hostID: 100_000, size: 65_536 };
const idMappings = { uids: [range], gids: [range] };
const choose = (change: Parameters<typeof hostConfigFixture>[0], defaults = { idMappings }) =>
  userNamespaceOf(hostConfigFixture(change), defaults);

test('userNamespaceOf: the daemon’s mapping, unless the host’s namespace is asked for', () => {
  expect(choose({})).toBe(idMappings);
  expect(choose({ usernsMode: 'host', privileged: true, pidMode: 'host' })).toBeUndefined();
  expect(userNamespaceOf(hostConfigFixture({ privileged: true }), {})).toBeUndefined();
});

test('userNamespaceOf: nothing that reaches around it', () => {
  expect(() => choose({ privileged: true })).toThrow(
    'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
  );
  expect(() => choose({ networkMode: 'host' })).toThrow(
    "cannot share the host's network namespace when user namespaces are enabled",
  );
  expect(() => choose({ pidMode: 'host' })).toThrow(
    'cannot share the host PID namespace when user namespaces are enabled',
  );
});
