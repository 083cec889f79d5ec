import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from '../testing/index.ts';

/** As on a host where the profile is loaded already. */
const RECORDED = {
  'sys/kernel/security/apparmor': { profiles: 'docker-default (enforce)\n' },
  'sys/module/apparmor/parameters': { enabled: 'Y\n' },
};

let root: string;
let fixture: ContainersFixture;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gantry-apparmor-'));
  for (const [directory, files] of Object.entries(RECORDED)) {
    mkdirSync(join(root, directory), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, directory, name), text);
  }
  fixture = await createContainersFixture({ hostRoot: root });
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

test.each([
  [{}, 'docker-default'],
  [{ securityOpt: ['apparmor=mine'] }, 'mine'],
  [{ securityOpt: ['apparmor=unconfined'] }, 'unconfined'],
  [{ privileged: true }, 'unconfined'],
])('on a host with AppArmor %j means %s, for execs, too', async (hostConfig, profile) => {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ hostConfig }));
  await containers.start(id);
  expect(runtime.task(id).options.spec.process.apparmorProfile).toBe(profile);
  expect(containers.get(id).appArmorProfile).toBe(profile);
  const exec = containers.createExec(id, {
    ...{ attachStdin: false, attachStdout: false, attachStderr: false, tty: false, detachKeys: '', env: [] },
    ...{ cmd: ['true'], privileged: false, user: '', workingDir: '' },
  });
  await containers.startExec(exec.id, { detach: true }).run(undefined);
  expect([...runtime.task(id).execs.values()].at(-1)?.options.process.apparmorProfile).toBe(profile);
});
