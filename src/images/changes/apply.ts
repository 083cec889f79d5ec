import { posix } from 'node:path';
import { invalidArgument, ownValue, parseSignal } from '#base';
import type { ImageConfig } from '#oci';
import { notAChangeCommand } from '../errors.ts';
import { expand, expandWords } from './expand.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { type Instruction, parseInstructions, parseList, tryParseExecForm } from './lines.ts';
import { parseExposedPorts } from './ports.ts';
import { parsePairs } from './words.ts';

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

interface State {
  readonly config: ImageConfig;
  /** CMD was among the instructions so far: then ENTRYPOINT leaves it alone. */
  readonly commandSet: boolean;
}
type Change = (state: State, instruction: Instruction) => Partial<State> & { config: ImageConfig };

/**
 * Applies Dockerfile instructions (those that only change the config) to an image config, as the `changes` of
 * import and commit do.
 * @throws `invalid_argument` with docker's text.
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  if (changes.length === 0) return config;
  const instructions = parseInstructions(changes.join('\n'));
  const bound = instructions.map((instruction) => [instruction, changeFor(instruction)] as const);
  let state: State = { config, commandSet: false };
  for (const [instruction, change] of bound) state = { ...state, ...change(state, instruction) };
  return state.config;
}

function changeFor({ name, flags }: Instruction): Change {
  const key = name.toLowerCase();
  const change = ownValue(CHANGES, key);
  if (change === undefined) throw notAChangeCommand(name);
  const [flag] = flags;
  if (flag !== undefined && change !== healthcheck) throw invalidArgument(`unknown flag: --${flag[0]}`);
  return change;
}

const cmd: Change = ({ config }, { rest }) => ({
  config: { ...config, Cmd: parseCommand(config, rest) },
  commandSet: rest !== '',
});

const entrypoint: Change = ({ config, commandSet }, { rest }) => ({
  config: {
    ...config,
    Entrypoint: rest === '' ? [] : parseCommand(config, rest),
    ...(commandSet ? {} : { Cmd: null }),
  },
});

function parseCommand({ Shell }: ImageConfig, text: string): readonly string[] {
  return tryParseExecForm(text) ?? [...(Shell ?? DEFAULT_SHELL), text];
}

const env: Change = ({ config }, { rest }) => {
  // All values of one instruction see the variables as they were before it.
  const before = environment(config);
  const variables = [...(config.Env ?? [])];
  for (const [name, value] of parsePairs('ENV', rest)) {
    const key = expand(name, before);
    const entry = `${key}=${expand(value, before)}`;
    const at = variables.findIndex((variable) => variable.split('=', 1)[0] === key);
    if (at >= 0) variables[at] = entry;
    else variables.push(entry);
  }
  return { config: { ...config, Env: variables } };
};

const label: Change = ({ config }, { rest }) => {
  const variables = environment(config);
  const pairs = parsePairs('LABEL', rest).map(([name, value]) => [
    expand(name, variables),
    expand(value, variables),
  ]);
  return { config: { ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs) } } };
};

const expose: Change = ({ config }, { rest }) => {
  const ports = requireSome('EXPOSE', parseWords(rest))
    .flatMap((word) => expandWords(word, environment(config)))
    .flatMap(parseExposedPorts);
  return { config: { ...config, ExposedPorts: { ...config.ExposedPorts, ...asKeys(ports) } } };
};

const volume: Change = ({ config }, { rest }) => {
  const paths = requireSome('VOLUME', parseList(rest)).map((path) =>
    expand(path.trim(), environment(config)),
  );
  if (paths.includes('')) throw invalidArgument('VOLUME specified can not be an empty string');
  return { config: { ...config, Volumes: { ...config.Volumes, ...asKeys(paths) } } };
};

const onbuild: Change = ({ config }, { rest }) => {
  const trigger = rest.split(/\s/, 1)[0]?.toUpperCase() ?? '';
  if (trigger === '') throw invalidArgument('ONBUILD requires at least one argument');
  if (trigger === 'ONBUILD') throw invalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === 'MAINTAINER' || trigger === 'FROM') {
    throw invalidArgument(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  return { config: { ...config, OnBuild: [...(config.OnBuild ?? []), rest] } };
};

const user: Change = ({ config }, { rest }) => ({
  config: { ...config, User: expand(requireOne('USER', rest), environment(config)) },
});

const workdir: Change = ({ config }, { rest }) => {
  const path = expand(requireOne('WORKDIR', rest), environment(config));
  if (path === '') throw invalidArgument('cannot normalize nothing');
  const absolute = posix.isAbsolute(path) ? path : posix.join('/', config.WorkingDir ?? '', path);
  return { config: { ...config, WorkingDir: absolute } };
};

const stopsignal: Change = ({ config }, { rest }) => {
  const signal = expand(requireOne('STOPSIGNAL', rest), environment(config));
  parseSignal(signal);
  return { config: { ...config, StopSignal: signal } };
};

const healthcheck: Change = ({ config }, instruction) => ({
  config: { ...config, Healthcheck: parseHealthcheck(instruction) },
});

const CHANGES: Readonly<Record<string, Change>> = {
  cmd,
  entrypoint,
  env,
  expose,
  healthcheck,
  label,
  onbuild,
  stopsignal,
  user,
  volume,
  workdir,
};

const parseWords = (rest: string): string[] => (rest === '' ? [] : rest.split(/\s+/));

function requireSome(instruction: string, words: string[]): string[] {
  if (words.length === 0) throw invalidArgument(`${instruction} requires at least one argument`);
  return words;
}

/** USER, WORKDIR and STOPSIGNAL take the whole rest of the line as their one argument. */
function requireOne(instruction: string, rest: string): string {
  if (rest === '') throw invalidArgument(`${instruction} requires exactly one argument`);
  return rest;
}

const asKeys = (names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, {}]));

function environment({ Env }: ImageConfig): Map<string, string> {
  return new Map(
    (Env ?? []).map((variable) => {
      const at = variable.indexOf('=');
      return at < 0 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)];
    }),
  );
}
