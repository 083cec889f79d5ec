import { must } from '../../tests/harness/programs.ts';
import type { Measurement } from '../measurement.ts';

const CONTAINERS = 100;
const CONNECTIONS = 32;
const WINDOW_MS = 2000;

export const listContainers: Measurement = {
  name: `ps over the API with ${CONTAINERS} containers`,
  unit: 'requests/s',
  better: 'higher',
  budget: 10,
  rounds: 4,
  prepare: async ({ client, host }) => {
    const ids: string[] = [];
    for (let at = 0; at < CONTAINERS; at += 1)
      ids.push(await must(client, ['create', 'busybox', 'true'], { host }));
    return {
      [Symbol.asyncDispose]: async () => {
        await must(client, ['rm', ...ids], { host });
      },
    };
  },
  sample: async ({ host }) => {
    const unix = host.replace('unix://', '');
    const end = performance.now() + WINDOW_MS;
    let answered = 0;
    const ask = async (): Promise<void> => {
      while (performance.now() < end) {
        const response = await fetch('http://engine/containers/json?all=1', { unix });
        const body = await response.bytes();
        if (!response.ok || body.length < CONTAINERS) throw new Error(`list answered ${response.status}`);
        answered += 1;
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, ask));
    return (answered / WINDOW_MS) * 1000;
  },
};
