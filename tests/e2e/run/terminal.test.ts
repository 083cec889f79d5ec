import { describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';
import { openTerminal } from '../../harness/terminal.ts';

const engine = useEngine();

describe.each(allClients())('$name in a terminal', (client) => {
  test('run -it: a shell that knows the size, sees it change, and ends with its code', async () => {
    using session = openTerminal(client, ['run', '--rm', '-it', 'busybox', 'sh'], engine.host);
    await session.sees(/[#$] /);
    session.type('stty size; tty\r');
    await session.sees('24 80');
    await session.sees('/dev/');
    session.resize(100, 40);
    session.type('until stty size | grep 40; do :; done\r');
    await session.sees('40 100');
    session.type('exit 7\r');
    expect(await session.exited).toBe(7);
  });

  test('Ctrl-C reaches the process, Ctrl-P Ctrl-Q detaches and leaves it running; attach comes back', async () => {
    const name = uniqueName('detach');
    {
      using session = openTerminal(client, ['run', '--name', name, '-it', 'busybox', 'sh'], engine.host);
      await session.sees(/[#$] /);
      session.type('sleep 1000\r');
      await session.sees('sleep 1000');
      await session.typeUntil('\x03', /[#$] /);
      session.type('\x10\x11');
      expect(await session.exited).toBe(0);
    }
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', name])).toBe('true');
    {
      using session = openTerminal(client, ['attach', name], engine.host);
      session.type('echo back$((40+2))\r');
      await session.sees('back42');
      session.type('exit\r');
      expect(await session.exited).toBe(0);
    }
    await engine.must(client, ['rm', name]);
  });

  test('exec -it: a second terminal in the same container', async () => {
    const name = uniqueName('exec');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    using session = openTerminal(client, ['exec', '-it', name, 'sh'], engine.host);
    await session.sees(/[#$] /);
    session.type('stty size; cat /proc/1/cmdline\r');
    await session.sees('24 80');
    await session.sees('sleep');
    session.type('exit 5\r');
    expect(await session.exited).toBe(5);
    await engine.must(client, ['rm', '-f', name]);
  });
});
