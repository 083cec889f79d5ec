import type { TestDaemon } from '../harness/daemon.ts';
import type { Client } from '../harness/programs.ts';
import { raceCopies } from '../integration/containers-archive/race.ts';
import { dropAttaches } from '../reliability/attach-drops.ts';
import { logMuch } from '../reliability/big-logs.ts';
import { churn } from '../reliability/churn.ts';
import { crashRepeatedly } from '../reliability/daemon-crashes.ts';
import { damageState } from '../reliability/damaged-state.ts';
import { fillDisk, takeDescriptors } from '../reliability/exhausted.ts';
import { describeLatency, type Footprint } from '../reliability/figures.ts';
import { killInAllOrders } from '../reliability/lost-processes.ts';
import { cycleWithForeignNamespaces } from '../reliability/mount-leaks.ts';
import { restartWithPublishedPorts } from '../reliability/published-ports.ts';
import { restartAll } from '../reliability/restart-storm.ts';
import { shortRuns } from '../reliability/short-runs.ts';
import { slowReader } from '../reliability/slow-reader.ts';
import { type FreezableRuntime, workBesideStuckParts } from '../reliability/stuck-parts.ts';

/** What a scenario gets: a daemon of its own with the busybox image. */
export interface Stage {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly runtime: FreezableRuntime;
  /** Prints now and then how far it is. */
  readonly onProgress: (done: number) => void;
  /** The scale in the environment (`GANTRY_SOAK_SCALE`), or the scenario's own. */
  scale(usual: number): number;
}

export interface Outcome {
  /** Lines to print. */
  readonly figures: readonly string[];
  /** What was lost or wrong; empty is what we want. */
  readonly problems: readonly string[];
}

export interface Scenario {
  readonly row: string;
  run(stage: Stage): Promise<Outcome>;
}

/** The long forms, by the name they are asked for. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'short-runs': {
    row: 'R16',
    run: async ({ daemon, client, onProgress, scale }) => {
      const { host } = daemon;
      const report = await shortRuns({ client, host, count: scale(10_000), parallel: 4, onProgress });
      return { figures: [`${report.runs} runs`], problems: [...report.wrongOutput, ...report.wrongExitCode] };
    },
  },
  'slow-reader': {
    row: 'R16',
    run: async ({ daemon, client, scale }) => {
      const { host } = daemon;
      const report = await slowReader({ client, host, megabytes: scale(1024), slowBytes: 64 * 1024 * 1024 });
      const { receivedBytes, expectedBytes, identical, exitCode } = report;
      const problems = identical && exitCode === 0 ? [] : [`identical: ${identical}, exit code ${exitCode}`];
      return { figures: [`${receivedBytes} of ${expectedBytes} bytes`], problems };
    },
  },
  crashes: {
    row: 'R5, R8',
    run: async ({ daemon, client, onProgress, scale }) => {
      const { crashes, problems } = await crashRepeatedly({
        daemon,
        client,
        crashes: scale(500),
        onProgress,
      });
      return { figures: [`${crashes} kills of the daemon at random moments`], problems };
    },
  },
  stuck: {
    row: 'R4',
    run: async ({ daemon, client, runtime, onProgress, scale }) => {
      const report = await workBesideStuckParts({ daemon, client, runtime, rounds: scale(100), onProgress });
      const latencies = Object.entries(report.latencies);
      return {
        figures: latencies.map(([what, values]) => `${what}: ${describeLatency(values)}`),
        problems: report.problems,
      };
    },
  },
  orders: {
    row: 'R5',
    run: async ({ daemon, client, onProgress, scale }) => {
      const report = await killInAllOrders({ daemon, client, rounds: scale(70), onProgress });
      const { orders, codesKnown, codesUnknown, problems } = report;
      return {
        figures: [`${orders} orders, exit code known ${codesKnown}, unknown ${codesUnknown}`],
        problems,
      };
    },
  },
  mounts: {
    row: 'R6',
    run: async ({ daemon, client, onProgress, scale }) => {
      const report = await cycleWithForeignNamespaces({ daemon, client, cycles: scale(1000), onProgress });
      return { figures: [`${report.cycles} cycles`], problems: report.left };
    },
  },
  ports: {
    row: 'R8',
    run: async ({ daemon, client, onProgress, scale }) => {
      const report = await restartWithPublishedPorts({
        daemon,
        client,
        ports: 100,
        restarts: scale(50),
        onProgress,
      });
      return { figures: [`${report.ports} ports, ${report.restarts} restarts`], problems: report.problems };
    },
  },
  damage: {
    row: 'R10',
    run: async ({ daemon, client, onProgress }) => {
      const damages = ['emptied', 'cut in half', 'garbled', 'removed'] as const;
      const report = await damageState({ daemon, client, damages, every: 1, onProgress });
      // What is gone without a trace is not always missed: a cache, the reserve of a log, a blob that nobody asks for.
      const silent = report.silent.filter((each) => !each.endsWith(' removed'));
      return {
        figures: [
          `${report.cases} cases, ${report.told} told of, ${report.silent.length} silent (of these ${silent.length} not removals)`,
        ],
        problems: [...report.problems, ...silent.map((each) => `silent: ${each}`)],
      };
    },
  },
  storm: {
    row: 'R15',
    run: async ({ daemon, client, onProgress, scale }) => {
      const report = await restartAll({ daemon, client, containers: scale(500), onProgress });
      const { containers, firstAnswerMs, allUpMs, latenciesMs, problems } = report;
      const first = `first answer ${firstAnswerMs.toFixed(0)} ms, all up ${allUpMs.toFixed(0)} ms`;
      return {
        figures: [`${containers} containers: ${first}`, `ps meanwhile: ${describeLatency(latenciesMs)}`],
        problems,
      };
    },
  },
  logs: {
    row: 'R17',
    run: async ({ daemon, client, onProgress, scale }) => {
      const { megabytes, growthMb, problems } = await logMuch({
        daemon,
        client,
        megabytes: scale(1024),
        onProgress,
      });
      const figures = Object.entries(growthMb).map(
        ([phase, growth]) => `${megabytes} MB, ${phase}: +${growth} MB`,
      );
      return { figures, problems };
    },
  },
  churn: {
    row: 'R20',
    run: async ({ daemon, client, onProgress, scale }) => {
      const report = await churn({
        daemon,
        client,
        runs: scale(5000),
        execs: scale(20_000),
        parallel: 4,
        onProgress,
      });
      return {
        figures: [growth(report.before, report.after)],
        problems: [...report.failures, ...leaked(report)],
      };
    },
  },
  attaches: {
    row: 'S17',
    run: async ({ daemon, client, onProgress, scale }) => {
      const report = await dropAttaches({
        daemon,
        client,
        count: scale(100_000),
        parallel: 8,
        collectMs: 15_000,
        onProgress,
      });
      return { figures: [growth(report.before, report.after)], problems: leaked(report) };
    },
  },
  copies: {
    row: 'S3',
    run: async ({ scale }) => {
      const report = await raceCopies(scale(600) * 1000);
      const copies = Object.values(report.copies).reduce((sum, count) => sum + count, 0);
      return {
        figures: [
          `${copies} copies, ${report.redirected} redirected inside, ${report.naiveEscapes} naive escapes`,
        ],
        problems: report.escapes,
      };
    },
  },
  exhausted: {
    row: 'full disk',
    run: async ({ daemon, client }) => {
      const reports = [
        await fillDisk(client, 'space'),
        await fillDisk(client, 'inodes'),
        await takeDescriptors(daemon, client),
      ];
      return {
        figures: reports.flatMap(({ refusals }) => refusals),
        problems: reports.flatMap(({ problems }) => problems),
      };
    },
  },
};

/** Memory that a run-time with garbage collection may keep. */
const ALLOWED_MB = 96;

interface Footprints {
  readonly before: Footprint;
  readonly after: Footprint;
}

function leaked({ before, after }: Footprints): string[] {
  const isSame = after.files - before.files <= 8 && after.processes <= before.processes;
  return isSame && after.rssMb - before.rssMb < ALLOWED_MB ? [] : [`grown: ${growth(before, after)}`];
}

const growth = (before: Footprint, after: Footprint): string =>
  `${before.rssMb} to ${after.rssMb} MB, ${before.files} to ${after.files} descriptors, ` +
  `${before.processes} to ${after.processes} processes`;
