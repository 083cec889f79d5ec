import { describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';
import { printFigure } from '../../reliability/figures.ts';
import { addNeighbour, type Neighbour } from './neighbour.ts';

const engine = useEngine();
const SERVER = 'mkdir /www; echo served > /www/index.html; exec httpd -f -p 80 -h /www';

interface Web {
  readonly open: number;
  readonly local: number;
  readonly address: string;
}

/** A server published once for everybody and once for the loopback. */
async function startWeb(name: string): Promise<Web> {
  const flags = ['-p', '0.0.0.0:0:80', '-p', '127.0.0.1:0:80'];
  await engine.must(gantry, ['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', SERVER]);
  const inspect = async (format: string) => await engine.must(gantry, ['inspect', '-f', format, name]);
  const bindings: { HostIp: string; HostPort: string }[] = JSON.parse(
    await inspect('{{json (index .NetworkSettings.Ports "80/tcp")}}'),
  );
  const portOn = (ip: string) => Number(bindings.find(({ HostIp }) => HostIp === ip)?.HostPort);
  const address = await inspect('{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');
  return { open: portOn('0.0.0.0'), local: portOn('127.0.0.1'), address };
}

/** What a neighbour may see, and nothing else. */
async function expectIsolation(neighbour: Neighbour, web: Web, when: string): Promise<void> {
  const targets = [
    ['the published port', neighbour.hostAddress, web.open, 'served\n'],
    ['the loopback port on our address', neighbour.hostAddress, web.local, undefined],
    ['the loopback port on 127.0.0.1', '127.0.0.1', web.local, undefined],
    ['the container itself', web.address, 80, undefined],
  ] as const;
  await Promise.all(
    targets.map(async ([what, address, port, expected]) =>
      expect([when, what, await neighbour.ask(address, port)]).toEqual([when, what, expected]),
    ),
  );
}

describe.skipIf(givenHost() !== undefined)('S12: a neighbour on the same wire', () => {
  test('reaches published ports only: before, while and after the firewall was flushed or lost', async () => {
    await using neighbour = await addNeighbour();
    const name = uniqueName('web');
    const web = await startWeb(name);
    const local = async () => (await fetch(`http://127.0.0.1:${web.local}/`, { keepalive: false })).text();
    expect(await eventually('the server', local)).toBe('served\n');
    // The neighbour routes to the containers and to our loopback through us, as only an attacker does.
    neighbour.must('ip', 'route', 'add', `${web.address}/32`, 'via', neighbour.hostAddress);
    neighbour.must('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
    neighbour.must('ip', 'addr', 'del', '127.0.0.1/8', 'dev', 'lo');
    neighbour.must('ip', 'rule', 'add', 'pref', '10', 'to', '127.0.0.1', 'lookup', '77');
    neighbour.must('ip', 'rule', 'del', 'pref', '0');
    neighbour.must('ip', 'rule', 'add', 'pref', '20', 'lookup', 'local');
    neighbour.must(
      'ip',
      'route',
      'add',
      '127.0.0.1',
      'via',
      neighbour.hostAddress,
      'dev',
      neighbour.link,
      'table',
      '77',
    );
    await expectIsolation(neighbour, web, 'before');

    const table = ownTable(web.address);
    for (const [what, command] of [
      ['lost', ['delete', 'table', 'inet', table]],
      ['flushed', ['flush', 'table', 'inet', table]],
    ] as const) {
      const start = performance.now();
      Bun.spawnSync(['nft', ...command]);
      // What the host serves on its loopback stays closed even now: no rule, no way.
      const meanwhile = Promise.all(
        [neighbour.hostAddress, '127.0.0.1'].map((address) => neighbour.ask(address, web.local)),
      );
      await eventually(`the rules after they were ${what}`, () =>
        PROOF.every((text) => rules(table).includes(text.replace('ADDRESS', web.address))),
      );
      printFigure(
        'S12',
        `rules back after they were ${what}`,
        `${((performance.now() - start) / 1000).toFixed(1)} s`,
      );
      expect([what, ...(await meanwhile)]).toEqual([what, undefined, undefined]);
      await expectIsolation(neighbour, web, `after ${what}`);
      expect(await local()).toBe('served\n');
    }
    await engine.must(gantry, ['rm', '-f', name]);
  }, 120_000);
});

/** Part of each chain and of the maps: rules and elements are both back. */
const PROOF = ['iifname != "lo" ip daddr 127.0.0.0/8 drop', ': ADDRESS . 80', 'ct status dnat accept'];

const rules = (table: string): string =>
  Bun.spawnSync(['nft', 'list', 'table', 'inet', table]).stdout.toString();

/** The daemon's table: the one that knows the container. */
function ownTable(address: string): string {
  const listed = Bun.spawnSync(['nft', 'list', 'tables', 'inet']).stdout.toString();
  const names = [...listed.matchAll(/table inet (gantry\S*)/g)].map((match) => match[1] ?? '');
  const own = names.find((name) => rules(name).includes(address));
  if (own === undefined) throw new Error(`no table knows ${address}: ${names.join(' ')}`);
  return own;
}
