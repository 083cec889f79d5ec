import { expect, test } from 'bun:test';
import { join } from 'node:path';

/** Listens when no descriptor is left, and prints why it cannot. */
const SCRIPT = `
  import { openSync } from 'node:fs';
  import { listenTcp } from ${JSON.stringify(join(import.meta.dir, 'tcp-forwarder.ts'))};
  // What the runtime itself needs to listen it opens with the first port.
  (await listenTcp('127.0.0.1', { port: 0 })).close();
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {}
  await listenTcp('127.0.0.1', { port: 0 }).catch(({ code }) => console.log(code));
  process.exit();
`;

test('a lack of descriptors is told apart from a port that is taken', async () => {
  const limited = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '-e', SCRIPT];
  const child = Bun.spawn(limited, { stdout: 'pipe', stderr: 'inherit' });
  expect(await new Response(child.stdout).text()).toBe('EMFILE\n');
});
