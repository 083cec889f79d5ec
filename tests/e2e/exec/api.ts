import { callApi } from '../../harness/api.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Engine } from '../../harness/fixture.ts';
import { type Client, clientEnvironment } from '../../harness/programs.ts';

/** What `GET /exec/{id}/json` answers, as far as tests look. */
export interface InspectedExec {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
  readonly ProcessConfig: { readonly entrypoint: string; readonly arguments: readonly string[] };
}

/** Prepares a command. `query` is what follows the path, with its question mark. */
export async function createExec(host: string, container: string, body: object, query = ''): Promise<string> {
  const { json, text } = await callApi(host, 'POST', `/containers/${container}/exec${query}`, { body });
  const id = (json as { Id?: string } | undefined)?.Id;
  if (id === undefined) throw new Error(`no exec: ${text}`);
  return id;
}

export const startDetached = (host: string, id: string) =>
  callApi(host, 'POST', `/exec/${id}/start`, { body: { Detach: true } });

export async function inspectExec(host: string, id: string): Promise<InspectedExec> {
  return (await callApi(host, 'GET', `/exec/${id}/json`)).json as InspectedExec;
}

/** Waits for the end of a command and answers its exit code. */
export async function exitOf(host: string, id: string): Promise<number | null> {
  return await eventually(`the end of exec ${id}`, async () => {
    const { Running, ExitCode } = await inspectExec(host, id);
    return !Running && { code: ExitCode };
  }).then(({ code }) => code);
}

/** IDs of the commands that the container's own inspection shows. */
export async function execIdsOf(host: string, container: string): Promise<readonly string[]> {
  const { json } = await callApi(host, 'GET', `/containers/${container}/json`);
  return (json as { ExecIDs: readonly string[] | null }).ExecIDs ?? [];
}

/** Starts a client and leaves it running. */
export const spawnClient = (client: Client, args: readonly string[], { host }: Pick<Engine, 'host'>) =>
  Bun.spawn([client.path, ...args], {
    env: clientEnvironment({ host }),
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });

/** How many processes of the container have exactly this command line. */
export async function countProcesses(host: string, container: string, line: string): Promise<number> {
  const { json } = await callApi(host, 'GET', `/containers/${container}/top?ps_args=-eo+pid,args`);
  const { Processes } = json as { Processes: readonly (readonly string[])[] };
  return Processes.filter((row) => row.at(-1) === line).length;
}
