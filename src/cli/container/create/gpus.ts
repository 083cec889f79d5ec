import type { DeviceRequest } from '#api';
import { parseCsv } from '../../flags/csv.ts';

interface Draft {
  Driver: string;
  Count: number;
  DeviceIDs: string[] | null;
  Capabilities: string[];
  Options: Record<string, string>;
}

/**
 * Parses one `--gpus` value: `all`, a number, or CSV of `count=`, `device=`, `driver=`, `capabilities=`, `options=`.
 * @throws docker's texts, to be completed by the flag's name.
 */
export function parseGpus(text: string): DeviceRequest {
  const draft: Draft = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: [], Options: {} };
  const seen = new Set<string>();
  for (const field of parseCsv(text)) {
    const equals = field.indexOf('=');
    const key = equals < 0 ? field : field.slice(0, equals);
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (equals < 0) {
      seen.add('count');
      draft.Count = parseCount(key);
    } else assign(draft, key, field.slice(equals + 1), field);
  }
  if (!seen.has('count') && draft.DeviceIDs === null) draft.Count = 1;
  const capabilities = draft.Capabilities.includes('gpu')
    ? draft.Capabilities
    : [...draft.Capabilities, 'gpu'];
  return { ...draft, Capabilities: [capabilities] };
}

function assign(draft: Draft, key: string, value: string, field: string): void {
  if (key === 'driver') draft.Driver = value;
  else if (key === 'count') draft.Count = parseCount(value);
  else if (key === 'device') draft.DeviceIDs = value.split(',');
  else if (key === 'capabilities') draft.Capabilities = value.split(',');
  else if (key === 'options') {
    draft.Options = Object.fromEntries(
      parseCsv(value).map((option) => {
        const [name = '', ...rest] = option.split('=');
        return [name, rest.join('=')];
      }),
    );
  } else throw new Error(`unexpected key '${key}' in '${field}'`);
}

function parseCount(text: string): number {
  if (text === 'all') return -1;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
}

export function validateGpus(text: string): string {
  parseGpus(text);
  return text;
}
