import { describe, expect, test } from 'bun:test';
import { type ApiAnswer, callApi } from '../../harness/api.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';

/**
 * Every operation in every state, as the reference engine answers it too (`make test-reference`): status code, the state
 * afterwards, and the words of refusals as far as all of docker's versions share them.
 */
const engine = useEngine();

const STATES = ['created', 'running', 'paused', 'exited', 'restarting'] as const;
type State = (typeof STATES)[number];
/** Status code, state afterwards (`same` as before), words of the message. */
type Expected = readonly [status: number, state: State | 'gone' | 'same', words?: RegExp];

const notRunning: Expected = [409, 'same', /container \S+ is not running$/i];
const notPaused: Expected = [500, 'same', /^Container \S+ is not paused$/];
const inUse: Expected = [409, 'same', /container .*before (attempting removal|removing) or force remove$/];
const restarting: Expected = [
  409,
  'same',
  /^Container \S+ is restarting, wait until the container is running$/,
];
const all = (expected: Expected): Record<State, Expected> => ({
  created: expected,
  running: expected,
  paused: expected,
  exited: expected,
  restarting: expected,
});

interface Operation {
  readonly method: string;
  /** Behind the container's path. */
  readonly path: string;
  readonly body?: unknown;
  readonly expected: Record<State, Expected>;
}

const killed: Record<State, Expected> = {
  created: notRunning,
  running: [204, 'exited'],
  paused: [204, 'exited'],
  exited: notRunning,
  restarting: [204, 'exited'],
};
const active: Record<State, Expected> = { ...all(notRunning), running: [200, 'same'], restarting };

const OPERATIONS: Record<string, Operation> = {
  start: {
    method: 'POST',
    path: '/start',
    expected: {
      created: [204, 'running'],
      running: [304, 'same'],
      paused: [409, 'same', /^cannot start a paused container, try unpause instead$/],
      exited: [204, 'running'],
      restarting: [304, 'same'],
    },
  },
  stop: {
    method: 'POST',
    path: '/stop?t=1',
    expected: {
      created: [304, 'same'],
      running: [204, 'exited'],
      paused: [204, 'exited'],
      exited: [304, 'same'],
      restarting: [204, 'exited'],
    },
  },
  restart: { method: 'POST', path: '/restart?t=1', expected: all([204, 'running']) },
  kill: { method: 'POST', path: '/kill', expected: killed },
  'kill TERM': { method: 'POST', path: '/kill?signal=TERM', expected: killed },
  'kill HUP': {
    method: 'POST',
    path: '/kill?signal=HUP',
    expected: { ...killed, running: [204, 'same'], paused: [204, 'running'] },
  },
  'kill of no signal': {
    method: 'POST',
    path: '/kill?signal=BANANA',
    expected: all([400, 'same', /^Invalid signal: BANANA$/]),
  },
  pause: {
    method: 'POST',
    path: '/pause',
    expected: {
      created: notRunning,
      running: [204, 'paused'],
      paused: [409, 'same', /^container \S+ is already paused$/i],
      exited: notRunning,
      restarting,
    },
  },
  unpause: {
    method: 'POST',
    path: '/unpause',
    expected: { ...all(notPaused), paused: [204, 'running'] },
  },
  rm: {
    method: 'DELETE',
    path: '',
    expected: {
      created: [204, 'gone'],
      running: inUse,
      paused: [409, 'same', /paused/],
      exited: [204, 'gone'],
      restarting: inUse,
    },
  },
  'rm -f': { method: 'DELETE', path: '?force=1&v=1', expected: all([204, 'gone']) },
  'rm --link': {
    method: 'DELETE',
    path: '?link=1',
    expected: all([500, 'same', /^Conflict, cannot remove the default link name of the container$/]),
  },
  'rename to its own name': {
    method: 'POST',
    path: '/rename?name=NAME',
    expected: all([400, 'same', /^Renaming a container with the same name as its current name$/]),
  },
  'rename to nothing': {
    method: 'POST',
    path: '/rename?name=',
    expected: all([400, 'same', /^Neither old nor new names may be empty$/]),
  },
  update: { method: 'POST', path: '/update', body: { CpuShares: 512 }, expected: all([200, 'same']) },
  exec: {
    method: 'POST',
    path: '/exec',
    body: { Cmd: ['true'] },
    expected: {
      ...active,
      running: [201, 'same'],
      paused: [409, 'same', /^Container NAME is paused, unpause the container before exec$/],
    },
  },
  top: { method: 'GET', path: '/top', expected: { ...active, paused: [200, 'same'] } },
  logs: { method: 'GET', path: '/logs?stdout=1', expected: all([200, 'same']) },
  changes: { method: 'GET', path: '/changes', expected: all([200, 'same']) },
};

/**
 * The pause before a restart by the policy is 100 ms and doubles each time: the one after so many runs is 6.4 s long, enough
 * for what is asked of a container in it also on a busy machine.
 */
const RUNS = 7;

const SCRIPTS: Record<State, string> = {
  created: 'sleep 1000',
  running: 'trap "" HUP; trap "exit 5" TERM; echo up; while :; do sleep 0.05; done',
  paused: 'trap "" HUP; trap "exit 5" TERM; echo up; while :; do sleep 0.05; done',
  exited: '[ -e /once ] || { touch /once; exit 3; }; sleep 1000',
  // A restart by a user or the policy's own, whichever comes first, makes it last.
  restarting: `echo >> /runs; [ $(wc -l < /runs) -le ${RUNS} ] && exit 3; sleep 1000`,
};

class Subject {
  readonly name = uniqueName('state');

  call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const suffix = path.replace('NAME', this.name);
    return callApi(
      engine.host,
      method,
      `/v1.41/containers/${this.name}${suffix}`,
      body === undefined ? {} : { body },
    );
  }

  async state(): Promise<string> {
    const { status, json } = await this.call('GET', '/json');
    return status === 404 ? 'gone' : (json as { State: { Status: string } }).State.Status;
  }

  async bring(state: State): Promise<void> {
    const body = {
      Image: 'busybox',
      Cmd: ['sh', '-c', SCRIPTS[state]],
      HostConfig: state === 'restarting' ? { RestartPolicy: { Name: 'always' } } : {},
    };
    const made = await callApi(engine.host, 'POST', `/v1.41/containers/create?name=${this.name}`, { body });
    expect(made.status).toBe(201);
    if (state !== 'created') expect((await this.call('POST', '/start')).status).toBe(204);
    // Until it has its traps, an init process takes no signal.
    if (SCRIPTS[state].includes('echo up'))
      await eventually('the traps', async () =>
        (await this.call('GET', '/logs?stdout=1')).text.includes('up'),
      );
    if (state === 'paused') await this.call('POST', '/pause');
    if (state === 'restarting') await eventually('the long pause', async () => (await this.runs()) === RUNS);
    await eventually(`the state ${state}`, async () => (await this.state()) === state);
  }

  async runs(): Promise<number> {
    const { json } = await this.call('GET', '/json');
    const { RestartCount, State } = json as { RestartCount: number; State: { Status: string } };
    return State.Status === 'restarting' ? RestartCount : 0;
  }
}

describe.each(STATES)('a container that is %s', (state) => {
  // All at once: most of their time they wait.
  test.concurrent.each(Object.entries(OPERATIONS))('%s', async (_, { method, path, body, expected }) => {
    const subject = new Subject();
    await subject.bring(state);
    const [status, after, words] = expected[state];
    const answer = await subject.call(method, path, body);
    const message = answer.message.replaceAll(subject.name, 'NAME');
    expect([answer.status, message]).toEqual([status, words ? expect.stringMatching(words) : message]);
    await eventually(`the state afterwards`, async () => {
      const now = await subject.state();
      if (now !== (after === 'same' ? state : after)) throw new Error(now);
      return true;
    });
    await subject.call('DELETE', '?force=1');
  });
});
