/** A machine on the same Ethernet as this one: a network namespace with a cable into ours. */
export interface Neighbour extends AsyncDisposable {
  /** Our address on the cable. */
  readonly hostAddress: string;
  readonly address: string;
  /** The neighbour's end of the cable. */
  readonly link: string;
  /** Runs a command over there; throws when it fails. */
  must(...command: string[]): string;
  /** The answer to an HTTP request, undefined when there is none within two seconds. */
  ask(address: string, port: number): Promise<string | undefined>;
}

let count = 0;

/** Adds the neighbour. Everything of it goes with its only process. */
export async function addNeighbour(): Promise<Neighbour> {
  const tag = `${process.pid % 10_000}n${++count}`;
  const [ours, theirs] = [`gts${tag}`, `gtn${tag}`];
  const third = process.pid % 256;
  const [hostAddress, address] = [`198.18.${third}.1`, `198.18.${third}.2`];
  const holder = Bun.spawn(['unshare', '--net', 'sh', '-c', 'echo ready; exec sleep 1000'], {
    stdout: 'pipe',
  });
  await holder.stdout.getReader().read();
  const enter = (...command: string[]) => ['nsenter', `--net=/proc/${holder.pid}/ns/net`, ...command];
  const run = (command: readonly string[]): string => {
    const result = Bun.spawnSync([...command]);
    if (result.exitCode !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
    return result.stdout.toString();
  };
  run(['ip', 'link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', String(holder.pid)]);
  run(['ip', 'addr', 'add', `${hostAddress}/24`, 'dev', ours]);
  run(['ip', 'link', 'set', ours, 'up']);
  run(enter('ip', 'addr', 'add', `${address}/24`, 'dev', theirs));
  run(enter('ip', 'link', 'set', theirs, 'up'));
  run(enter('ip', 'link', 'set', 'lo', 'up'));
  return {
    hostAddress,
    address,
    link: theirs,
    must: (...command) => run(enter(...command)),
    ask: async (target, port) => {
      const child = Bun.spawn(
        enter('timeout', '2', 'busybox', 'wget', '-q', '-O-', `http://${target}:${port}/`),
        {
          stdout: 'pipe',
          stderr: 'ignore',
        },
      );
      const text = await new Response(child.stdout).text();
      return (await child.exited) === 0 ? text : undefined;
    },
    [Symbol.asyncDispose]: async () => {
      run(['ip', 'link', 'del', ours]);
      holder.kill('SIGKILL');
      await holder.exited;
    },
  };
}
