import { afterAll, beforeAll, expect, test } from 'bun:test';
import { SLOWNESS } from '../../harness/slowness.ts';
import { collect, Sandbox } from './harness.ts';

const ROUNDS = 60;

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const percentile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

/** How long each phase took is printed, not judged: an idle machine needs 13 ms from spec to exit with crun. */
test.each(['crun', 'runc'])(
  `%s: the phases of ${ROUNDS} runs of "true", default seccomp profile`,
  async (name) => {
    const runtime = await sandbox.runtime({ defaultRuntime: name });
    const phases = new Map<string, number[]>();
    const totals: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      let last = performance.now();
      const begin = last;
      const mark = (phase: string) => {
        const now = performance.now();
        phases.set(phase, [...(phases.get(phase) ?? []), now - last]);
        last = now;
      };
      const options = sandbox.options(['true']);
      mark('spec');
      const task = await runtime.create(options);
      mark('create');
      const output = collect(await task.attach());
      mark('attach');
      await task.start();
      mark('start');
      const { exitCode } = await task.exited;
      mark('exit');
      totals.push(last - begin);
      expect({ exitCode, ...(await output) }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
      await runtime.delete(options.id);
      mark('delete');
    }
    for (const [phase, values] of [...phases, ['spec to exit', totals] as const])
      console.log(
        `  ${name} ${phase.padEnd(12)} p50 ${percentile(values, 0.5).toFixed(2)} ms, p90 ${percentile(values, 0.9).toFixed(2)} ms`,
      );
  },
  60_000 * SLOWNESS,
);
