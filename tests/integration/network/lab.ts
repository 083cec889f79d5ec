import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSys } from '#sys';

const FIXTURES = join(import.meta.dir, 'fixtures');
export const DAEMON_FIXTURE = join(FIXTURES, 'daemon.ts');

/** The host's address on the network it shares with the neighbour, and the neighbour's. */
export const HOST_IP = '198.51.100.1';
export const NEIGHBOUR_IP = '198.51.100.2';

/**
 * A small world inside the private network namespace of the test process: the host, and a neighbour on the same
 * Ethernet. Everything started through it ends with it.
 */
export class Lab implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'gantry-test-net-'));
  readonly neighbour = join(this.directory, 'neighbour');
  readonly #children: Bun.Subprocess[] = [];

  constructor() {
    const sys = createSys();
    sys.namespaces.createNetwork(this.neighbour);
    using host = sys.openNetlink();
    host.setLink('lo', { up: true });
    host.createVeth({ name: 'wan0', peerName: 'lan0', peerNetns: this.neighbour });
    host.addAddress('wan0', `${HOST_IP}/24`);
    host.addAddress('wan0', 'fd98::1/64');
    host.setLink('wan0', { up: true });
    using inside = sys.openNetlink(this.neighbour);
    inside.addAddress('lan0', `${NEIGHBOUR_IP}/24`);
    inside.addAddress('lan0', 'fd98::2/64');
    inside.setLink('lan0', { up: true });
  }

  /** Starts the server fixture in a namespace and waits until it listens. */
  async serve(netns: string | undefined, protocol: 'tcp' | 'udp', port: number): Promise<Bun.Subprocess> {
    const script = [process.execPath, join(FIXTURES, 'server.ts'), protocol, String(port)];
    const child = Bun.spawn(enter(netns, script), { stdout: 'pipe', stderr: 'inherit' });
    this.#children.push(child);
    await firstLine(child.stdout);
    return child;
  }

  /** One request from a namespace, from the UDP port `fromPort` if given. Undefined when there is no answer. */
  async ask(
    netns: string | undefined,
    protocol: 'tcp' | 'udp',
    address: string,
    port: number,
    fromPort = 0,
  ): Promise<string | undefined> {
    const script = [
      process.execPath,
      join(FIXTURES, 'client.ts'),
      protocol,
      address,
      `${port}`,
      `${fromPort}`,
    ];
    const child = Bun.spawn(enter(netns, script), { stdout: 'pipe', stderr: 'pipe' });
    const output = await new Response(child.stdout).text();
    return (await child.exited) === 0 ? output : undefined;
  }

  /** Runs a command in a namespace to its end. */
  run(netns: string | undefined, ...command: string[]): string {
    const result = Bun.spawnSync(enter(netns, command));
    if (result.exitCode !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
    return result.stdout.toString();
  }

  /** Starts a command that the lab ends. */
  spawn(...command: string[]): Bun.Subprocess<'ignore', 'pipe', 'inherit'> {
    const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' });
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#children.map(({ exited }) => exited));
    const sys = createSys();
    const { namespaces } = sys;
    // The kernel takes a namespace down in the background; the next lab uses the same name and addresses.
    using host = sys.openNetlink();
    host.deleteLink('wan0');
    namespaces.removeNetwork(this.neighbour);
    // What a failed test did not release.
    for (const pinned of ['netns', 'second/netns'].map((path) => join(this.directory, path))) {
      for (const name of existsSync(pinned) ? readdirSync(pinned) : [])
        namespaces.removeNetwork(join(pinned, name));
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const enter = (netns: string | undefined, command: readonly string[]): string[] =>
  netns === undefined ? [...command] : ['nsenter', `--net=${netns}`, ...command];

export async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes('\n')) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended before a line came: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return text.slice(0, text.indexOf('\n'));
}
