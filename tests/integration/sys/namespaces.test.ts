import { expect, test } from 'bun:test';

test('mount namespaces: a thread that is made meanwhile does not keep the main thread from coming home', async () => {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/fixtures/away.ts`], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect([await child.exited, stdout, stderr]).toEqual([0, 'home\n', '']);
});
