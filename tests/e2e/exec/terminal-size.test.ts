import { expect, test } from 'bun:test';
import { callApi } from '../../harness/api.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';

const engine = useEngine();

test.each(['create', 'start'])(
  'ConsoleSize at %s: it is there before the process runs, each time',
  async (when) => {
    const name = uniqueName('size');
    await engine.must(gantryClient, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const size = (step: string) => (step === when ? { ConsoleSize: [57, 123] } : {});
    const answers: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      const body = { Tty: true, AttachStdout: true, Cmd: ['stty', 'size'], ...size('create') };
      const { json } = await callApi(engine.host, 'POST', `/containers/${name}/exec`, { body });
      const { Id } = json as { readonly Id: string };
      const start = { Tty: true, ...size('start') };
      answers.push((await callApi(engine.host, 'POST', `/exec/${Id}/start`, { body: start })).text.trim());
    }
    expect(answers).toEqual(Array(8).fill('57 123'));
    await engine.must(gantryClient, ['rm', '-f', name]);
  },
);
