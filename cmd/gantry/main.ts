/** The executable's entry: client commands by the CLI, `daemon` by the daemon. The only place that ends the process. */
import { runCli } from '#cli';

const argv = process.argv.slice(2);
// Called as `gantryd` (a link), the program is the daemon.
const isDaemonName = /(^|\/)gantryd$/.test(process.argv0);

const exitCode = await runCli({
  argv: isDaemonName ? ['daemon', ...argv] : argv,
  commands: {
    daemon: async (args) => (await import('../daemon/main.ts')).runDaemon(args),
  },
});
process.exit(exitCode);
