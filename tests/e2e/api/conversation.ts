import { type IncomingMessage, request as startRequest } from 'node:http';

/**
 * One request of a conversation. `{name}` in path and body stands for what an earlier step has kept under that name;
 * `{begin}`, `{soon}` and `{later}` are Unix times: the conversation's beginning, the next moment, four seconds on.
 */
export interface Step {
  /** Heading in the recording; unique. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, with its content type. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  /** The length of the body is not said in advance. */
  readonly chunked?: boolean;
  /** Keeps this field of the answer for later steps. */
  readonly keep?: { readonly field: string; readonly as: string };
  /** Only the shape is compared: names in order and types; values differ from run to run. */
  readonly shape?: boolean;
  /** Headers compared beside the content type. */
  readonly compare?: readonly string[];
}

/** An answer with everything taken out that differs from run to run. */
export interface Exchange {
  readonly name: string;
  readonly request: string;
  readonly status: number;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Takes out of a text what differs between two runs. */
export type Normalize = (text: string, kept: ReadonlyMap<string, string>) => string;

/** Holds the conversation with the engine on a Unix socket, one request after the other. */
export async function converse(
  socketPath: string,
  steps: readonly Step[],
  normalize: Normalize,
): Promise<Exchange[]> {
  const kept = new Map<string, string>();
  const begin = Math.floor(Date.now() / 1000);
  const exchanges: Exchange[] = [];
  for (const step of steps) {
    const inMs = (ms: number) => ((Date.now() + ms) / 1000).toFixed(3);
    const times = [
      ['begin', begin],
      ['soon', inMs(300)],
      ['later', inMs(4000)],
    ] as const;
    const words = new Map([...kept, ...times.map(([name, time]) => [name, String(time)] as const)]);
    const { message, body } = await send(socketPath, step, words);
    if (step.keep) kept.set(step.keep.as, String(fieldOf(body, step.keep.field)));
    exchanges.push({
      name: step.name,
      request: `${step.method} ${step.path}`,
      status: message.statusCode ?? 0,
      type: message.headers['content-type'] ?? '',
      ...(step.compare ? { headers: pick(message, step.compare) } : {}),
      body: readBody(normalize(body, kept), step.shape ?? false),
    });
  }
  return exchanges;
}

function pick(message: IncomingMessage, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, String(message.headers[name] ?? '')]));
}

function fieldOf(body: string, field: string): unknown {
  try {
    return (JSON.parse(body) as Record<string, unknown>)[field];
  } catch {
    return undefined;
  }
}

function send(
  socketPath: string,
  step: Step,
  kept: ReadonlyMap<string, string>,
): Promise<{ readonly message: IncomingMessage; readonly body: string }> {
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name) => kept.get(name) ?? whole);
  const text = step.json === undefined ? step.raw : JSON.stringify(step.json);
  const body = text === undefined ? undefined : fill(text);
  const headers = {
    ...(step.json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(body === undefined || step.chunked ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    Connection: 'close',
    ...step.headers,
  };
  return new Promise((resolve, reject) => {
    const request = startRequest({ socketPath, method: step.method, path: fill(step.path), headers });
    const answer = (message: IncomingMessage) => {
      const chunks: Buffer[] = [];
      const done = () => resolve({ message, body: Buffer.concat(chunks).toString('utf8') });
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', done);
      // An engine that ends a stream without its last chunk.
      message.on('error', done);
    };
    request.on('response', answer);
    request.on('error', reject);
    request.end(body);
  });
}

/** JSON as values, one line of it each when there are several; anything else as text. */
function readBody(text: string, shape: boolean): unknown {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  try {
    const values = lines
      .map((line) => sorted(JSON.parse(line)))
      .map((value) => (shape ? shapeOf(value) : value));
    return values.length === 1 ? values[0] : values.length === 0 ? '' : { lines: values };
  } catch {
    return shape ? typeof text : text;
  }
}

/** Lists that docker makes from maps come in any order: mounts and changes by their paths. */
function sorted(value: unknown): unknown {
  const keyOf = (item: unknown): string => {
    const { Destination, Path } = (item ?? {}) as { Destination?: string; Path?: string };
    return Destination ?? Path ?? '';
  };
  if (Array.isArray(value)) {
    return value.map(sorted).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, sorted(field)]));
}

/** Types in place of values; of a list the first element. The order of fields stays. */
export function shapeOf(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shapeOf(field)]));
}
