import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import type { Client } from '../../harness/programs.ts';

const python: Client = { name: 'python', path: '/usr/bin/python3' };
const SCENARIOS = join(import.meta.dir, 'scenarios.py');

const found = Bun.spawnSync(['sh', '-c', `exec ${python.path} -c 'import docker'`], { stderr: 'pipe' });
const why = found.success ? '' : ' (skipped: needs python3-docker)';

const engine = useEngine({ image: found.success });

test
  .skipIf(!found.success)
  .each([
    'run',
    'run_stream',
    'logs',
    'attach_before_start',
    'execs',
    'life',
    'files',
    'events',
    'health',
    'volumes',
  ])(`Docker’s SDK for Python: %s${why}`, async (scenario) => {
  const result = await engine.run(python, [SCENARIOS, scenario, uniqueName('py')]);
  expect([result.code, result.stderr]).toEqual([0, '']);
});
