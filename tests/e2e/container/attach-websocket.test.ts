import { describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

/** Opens a WebSocket and collects what comes, until `until` is in it or the engine closes. */
function connect(path: string) {
  const socket = new WebSocket(`ws+${engine.host}:${path}`);
  socket.binaryType = 'arraybuffer';
  let received = '';
  let wake = () => {};
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => {
      resolve(code);
      wake();
    };
  });
  socket.onmessage = ({ data }) => {
    received += Buffer.from(data as ArrayBuffer).toString();
    wake();
  };
  return {
    socket,
    closed,
    opened: new Promise<unknown>((resolve) => {
      socket.onopen = resolve;
    }),
    async until(text: string): Promise<string> {
      while (!received.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
      return received;
    },
  };
}

const query = 'stream=1&stdin=1&stdout=1&stderr=1';

describe.each(allClients())('$name and attach over WebSocket', (client) => {
  test('both streams out, input in, and the close when the container ends', async () => {
    const name = uniqueName('ws');
    const script = 'echo to stderr >&2; while read line; do echo "got $line"; done';
    await engine.must(client, ['create', '-i', '--name', name, 'busybox', 'sh', '-c', script]);
    const { socket, opened, until, closed } = connect(`/containers/${name}/attach/ws?${query}`);
    await opened;
    await engine.must(client, ['start', name]);
    await until('to stderr\n');
    socket.send('one\n');
    await until('got one\n');
    socket.send('two\n');
    expect(await until('got two\n')).toContain('to stderr\ngot one\n');
    await engine.must(client, ['kill', name]);
    expect(await closed).toBe(1000);
    await engine.must(client, ['rm', name]);
  });

  test('a client that leaves changes nothing; logs are replayed to the next', async () => {
    const name = uniqueName('wslogs');
    await engine.must(client, ['run', '-dit', '--name', name, 'busybox', 'sh', '-c', 'echo before; cat']);
    const first = connect(`/containers/${name}/attach/ws?${query}&logs=1`);
    await first.until('before');
    first.socket.close();
    await first.closed;
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', name])).toBe('true');
    const second = connect(`/containers/${name}/attach/ws?${query}&logs=1`);
    await second.until('before');
    second.socket.send('typed\n');
    await second.until('typed');
    // Ctrl-P Ctrl-Q detaches.
    second.socket.send('\x10\x11');
    expect(await second.closed).toBe(1000);
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', name])).toBe('true');
    await engine.must(client, ['rm', '-f', name]);
  });
});
