/** Set inside the network namespace. */
const INSIDE = 'GANTRY_PRIVATE_NETWORK';

/**
 * Runs `main` in a network namespace of its own with loopback up, by running this program again inside it, and ends the
 * process with its exit code. Neither the host's firewall (a dockerd's, say) nor what we make meets the other, and
 * nothing can be left behind. `environment` is asked, once, for what the program inside shall have in its environment.
 */
export async function runInPrivateNetwork(
  program: string,
  main: () => Promise<number>,
  environment: () => Record<string, string> = () => ({}),
): Promise<never> {
  if (process.env[INSIDE] !== undefined) process.exit(await main());
  const self = [process.execPath, program, ...process.argv.slice(2)];
  const script = 'ip link set lo up && exec "$@"';
  const child = Bun.spawn(['unshare', '--net', '--', 'sh', '-c', script, 'sh', ...self], {
    env: { ...process.env, ...environment(), [INSIDE]: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exit(await child.exited);
}
