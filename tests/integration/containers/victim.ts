/**
 * An engine in a process of its own, to be killed: opens the machine in argv (JSON), starts the containers it is told
 * about on stdin (one JSON `CreateRequest` a line) and prints their IDs, one a line.
 */
import { createInterface } from 'node:readline';
import { createMachine } from './engine.ts';

const engine = await createMachine(JSON.parse(process.argv[2] ?? '{}')).open();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { id } = await engine.containers.create(JSON.parse(line));
  process.stdout.write(`${id}\n`);
  await engine.containers.start(id);
  process.stdout.write(`${id}\n`);
}
