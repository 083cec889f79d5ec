import { errorMessage, GantryError } from '#base';
import { createEngineClient, type EngineClient, parseEndpoint } from '#client';
import { type ParsedFlags, parseFlags } from '../flags/parse.ts';
import { type Insistence, watchInsistence } from '../session/insistence.ts';
import { stdinInput } from '../streams/input.ts';
import { fdOutput } from '../streams/output.ts';
import { processSignals } from '../streams/signals.ts';
import { checkArguments } from './arguments.ts';
import type { CommandDefinition, Invocation } from './command.ts';
import { type ConfigFile, configDirs, loadConfig } from './config-file.ts';
import type {
  CliContext,
  CliInput,
  CliOutput,
  CommandHandler,
  GlobalOptions,
  SignalSource,
} from './context.ts';
import { chooseHost } from './engine-host.ts';
import { cliError, EXIT, exitCodeOf, present, presentationOf } from './errors.ts';
import { GLOBAL_FLAGS, toGlobalOptions } from './globals.ts';
import { type Lookup, lookup } from './table.ts';
import { COMMIT, VERSION } from './version.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the program hands over. Everything but the arguments has a default: the process itself. */
export interface CliOptions {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env?: Env;
  readonly stdin?: CliInput;
  readonly stdout?: CliOutput;
  readonly stderr?: CliOutput;
  readonly signals?: SignalSource;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Commands that live in other rooms, by name: `daemon`, `registry`. */
  readonly commands?: Readonly<Record<string, CommandHandler>>;
  /** Replaces the engine client, for tests. */
  readonly createClient?: () => EngineClient;
}

const PROGRAM = 'gantry';
const DEFAULT_COLUMNS = 80;

/** Runs one command line. Answers the exit code; never throws and never ends the process. */
export async function runCli(options: CliOptions): Promise<number> {
  const stdout = options.stdout ?? fdOutput(1);
  const stderr = options.stderr ?? fdOutput(2);
  const insistence = watchInsistence(options.signals ?? processSignals(), stderr);
  try {
    return await Promise.race([dispatch(options, insistence, stdout, stderr), insistence.forced]);
  } catch (error) {
    return await report(error, stderr);
  }
}

async function report(error: unknown, stderr: CliOutput): Promise<number> {
  const { hint, prefix } = presentationOf(error);
  const message = error instanceof GantryError ? error.message : errorMessage(error);
  const text = [
    message === '' ? '' : `${prefix ?? ''}${message}\n`,
    hint === undefined ? '' : `\n${hint}\n`,
  ].join('');
  // Whoever reads our errors may be gone; the exit code is still right.
  await stderr.write(text).catch(() => {});
  return exitCodeOf(error);
}

async function dispatch(
  options: CliOptions,
  insistence: Insistence,
  stdout: CliOutput,
  stderr: CliOutput,
): Promise<number> {
  const env = options.env ?? process.env;
  const parsed = parseGlobals(options.argv);
  const values = parsed.values as Parameters<typeof toGlobalOptions>[0];
  const globals = toGlobalOptions(values, parsed.changed, env);
  const ctx = createContext(options, insistence, env, globals, stdout, stderr);
  if (parsed.changed.has('version')) {
    await stdout.write(
      `Gantry version ${VERSION}${COMMIT === undefined ? '' : `, build ${COMMIT.slice(0, 7)}`}\n`,
    );
    return EXIT.ok;
  }
  const words = parsed.positional;
  if (words[0] === 'help') return await help(ctx, words.slice(1), true);
  if (parsed.help || words.length === 0) return await help(ctx, [], false);
  const found = lookup(words);
  if (found.kind === 'command') {
    // Commands that are elsewhere have signals of their own.
    if (!found.entry.isLocal) insistence.endUnheard();
    return await runCommand(ctx, found, parsed.changed);
  }
  return await withoutCommand(ctx, found, words);
}

function parseGlobals(argv: readonly string[]): ParsedFlags {
  try {
    return parseFlags(argv, GLOBAL_FLAGS, { interspersed: false });
  } catch (error) {
    throw present(error, {
      hint: `Usage:  ${PROGRAM} [OPTIONS] COMMAND [ARG...]\n\nRun '${PROGRAM} --help' for more information`,
    });
  }
}

async function withoutCommand(
  ctx: CliContext,
  found: Exclude<Lookup, { kind: 'command' }>,
  words: readonly string[],
): Promise<number> {
  if (found.kind === 'unknown') {
    throw cliError(`${PROGRAM}: unknown command: ${PROGRAM} ${found.name}`, {
      hint: `Run '${PROGRAM} --help' for more information`,
    });
  }
  const { name } = found.group;
  const parsed = parseFlags(found.rest, {}, { interspersed: true });
  const [unknown] = parsed.positional;
  if (unknown !== undefined && !parsed.help) {
    throw cliError(`${PROGRAM}: unknown command: ${PROGRAM} ${name} ${unknown}`, {
      hint: `Usage:  ${PROGRAM} ${name}\n\nRun '${PROGRAM} ${name} --help' for more information`,
    });
  }
  // Unasked for, the help is a complaint.
  const asked = parsed.help ? ctx : { ...ctx, stdout: ctx.stderr };
  return await help(asked, words.slice(0, 1), false);
}

/** `strict`: an unknown topic is an error. */
async function help(ctx: CliContext, words: readonly string[], strict: boolean): Promise<number> {
  const { rootHelp, groupHelp, commandHelp } = await import('./help.ts');
  const layout = { program: PROGRAM, columns: (ctx.stdout.size()?.columns ?? DEFAULT_COLUMNS) - 1 };
  if (words.length === 0) {
    await ctx.stdout.write(rootHelp(layout));
    return EXIT.ok;
  }
  const found = lookup(words);
  if (found.kind === 'command') {
    const { command } = await found.entry.load();
    await ctx.stdout.write(commandHelp(found.entry, command, found.invokedAs, layout));
    return EXIT.ok;
  }
  if (found.kind === 'unknown' || (strict && found.rest.length > 0)) {
    throw cliError(`unknown help topic: ${words.join(' ')}`);
  }
  await ctx.stdout.write(groupHelp(found.group, layout));
  return EXIT.ok;
}

async function runCommand(
  ctx: CliContext,
  { entry, invokedAs, rest: args }: Extract<Lookup, { kind: 'command' }>,
  flagsBefore: ReadonlySet<string>,
): Promise<number> {
  if (!entry.isLocal) greetEngine(ctx);
  const { command } = await entry.load();
  if (command.parsesFlags === false) {
    refuseFlagsBefore(invokedAs, flagsBefore);
    const untouched: Invocation = { args, flags: {}, changed: new Set(), invokedAs };
    return (await command.run(untouched, ctx)) ?? EXIT.ok;
  }
  const parsed = parseCommandFlags(command, invokedAs, args);
  if (parsed.help) return await help(ctx, invokedAs.split(' '), false);
  refuseForeignFlags(command, parsed);
  const usageLine = `${PROGRAM} ${invokedAs} ${command.usage}`.trimEnd();
  checkArguments(parsed.positional, command.arguments, { program: PROGRAM, invokedAs, usageLine });
  const invocation = {
    args: parsed.positional,
    flags: parsed.values as Invocation['flags'],
    changed: parsed.changed,
    invokedAs,
  };
  return (await command.run(invocation, ctx)) ?? EXIT.ok;
}

/** Who parses flags on its own knows nothing of ours. */
function refuseFlagsBefore(invokedAs: string, given: ReadonlySet<string>): void {
  if (given.size === 0) return;
  const names = [...given].sort().map((name) => `--${name}`);
  throw cliError(
    `${PROGRAM}: flags of the ${invokedAs} come after its name, not before: ${names.join(' ')}`,
    { exitCode: EXIT.usage, hint: `Run '${PROGRAM} ${invokedAs} --help' for more information` },
  );
}

/**
 * Connects and agrees on a version while the command's code is loaded and its flags are read: about a millisecond less for
 * a short command. Failures are met again, and reported, by the first real call.
 */
function greetEngine(ctx: CliContext): void {
  ctx
    .client()
    .then((client) => client.apiVersion())
    .catch(() => {});
}

function parseCommandFlags(
  command: CommandDefinition,
  invokedAs: string,
  args: readonly string[],
): ParsedFlags {
  try {
    return parseFlags(args, command.flags, { interspersed: command.interspersed ?? true });
  } catch (error) {
    const name = `${PROGRAM} ${invokedAs}`;
    const usage = `${name} ${command.usage}`.trimEnd();
    throw present(error, { hint: `Usage:  ${usage}\n\nRun '${name} --help' for more information` });
  }
}

/** Text: docker CLI, for flags that its daemon on this system does not know. */
function refuseForeignFlags({ flags }: CommandDefinition, { changed }: ParsedFlags): void {
  const foreign = [...changed].filter((name) => flags[name]?.onlyOn !== undefined).sort();
  if (foreign.length === 0) return;
  const reasons = {
    windows: 'running on windows, but the Docker daemon is running on linux',
    experimental: 'with experimental features enabled',
  };
  const lines = foreign.map(
    (name) => `"--${name}" is only supported on a Docker daemon ${reasons[flags[name]?.onlyOn ?? 'windows']}`,
  );
  throw cliError(lines.join('\n'));
}

async function requestHeaders(config: () => Promise<ConfigFile>) {
  const { HttpHeaders } = await config();
  return HttpHeaders ? { headers: HttpHeaders } : {};
}

function createContext(
  options: CliOptions,
  insistence: Insistence,
  env: Env,
  globals: GlobalOptions,
  stdout: CliOutput,
  stderr: CliOutput,
): CliContext {
  let config: ReturnType<typeof loadConfig> | undefined;
  let client: Promise<EngineClient> | undefined;
  const readConfig = () => {
    config ??= loadConfig(configDirs({ configDir: globals.configDir, env }), (text) =>
      stderr.write(`${text}\n`),
    );
    return config;
  };
  const connect = async () => {
    if (options.createClient) return options.createClient();
    const chosen = await chooseHost(globals, env, readConfig);
    const apiVersion = env['GANTRY_API_VERSION'] || env['DOCKER_API_VERSION'] || undefined;
    return createEngineClient(parseEndpoint(chosen.url, chosen.tls), {
      apiVersion,
      userAgent: `Gantry-Client/${VERSION} (linux)`,
      ...(await requestHeaders(readConfig)),
    });
  };
  return {
    program: PROGRAM,
    stdin: options.stdin ?? stdinInput(),
    stdout,
    stderr,
    env,
    signals: insistence.signals,
    abandon: (exitCode) => insistence.abandon(exitCode),
    now: options.now ?? Date.now,
    version: VERSION,
    handlers: options.commands ?? {},
    globals,
    config: readConfig,
    client: () => {
      client ??= connect();
      return client;
    },
  };
}
