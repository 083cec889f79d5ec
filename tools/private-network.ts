/** Set inside the network namespace. */
const INSIDE = 'GANTRY_PRIVATE_NETWORK';

interface Surroundings {
  /** Asked, once, for what the program inside shall have in its environment. */
  readonly environment?: () => Record<string, string>;
  /** A mount namespace as well, with an empty /run in memory, as systemd makes it. Default false. */
  readonly emptyRun?: boolean;
}

/**
 * Runs `main` in a network namespace of its own with loopback up, by running this program again inside it, and ends the
 * process with its exit code. Neither the host's firewall (a dockerd's, say) nor what we make meets the other, and
 * nothing can be left behind.
 */
export async function runInPrivateNetwork(
  program: string,
  main: () => Promise<number>,
  { environment = () => ({}), emptyRun = false }: Surroundings = {},
): Promise<never> {
  if (process.env[INSIDE] !== undefined) process.exit(await main());
  const self = [process.execPath, program, ...process.argv.slice(2)];
  const mountRun = emptyRun ? 'mount -t tmpfs -o mode=755 run /run && ' : '';
  const script = `${mountRun}ip link set lo up && exec "$@"`;
  const namespaces = ['--net', ...(emptyRun ? ['--mount'] : [])];
  const child = Bun.spawn(['unshare', ...namespaces, '--', 'sh', '-c', script, 'sh', ...self], {
    env: { ...process.env, ...environment(), [INSIDE]: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exit(await child.exited);
}
