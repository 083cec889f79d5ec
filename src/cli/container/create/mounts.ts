import type { Mount } from '#api';
import { ownValue, parseBytes } from '#base';
import { cliError } from '../../core/errors.ts';
import { parseCsv } from '../../flags/csv.ts';
import { parseBool } from '../../flags/values.ts';

type Dict = Record<string, string>;

interface Draft {
  Type: string;
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  bind: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  volume: {
    NoCopy?: boolean;
    Labels?: Dict;
    Subpath?: string;
    DriverConfig?: { Name?: string; Options?: Dict };
  };
  image: { Subpath?: string };
  tmpfs: { SizeBytes?: number; Mode?: number };
}

type Setter = (draft: Draft, value: string, field: string) => void;

const addTo = (map: Dict | undefined, text: string): Dict => {
  const equals = text.indexOf('=');
  return { ...map, [equals < 0 ? text : text.slice(0, equals)]: equals < 0 ? '' : text.slice(equals + 1) };
};

const boolOf = (key: string, value: string): boolean => {
  try {
    return parseBool(value);
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`);
  }
};

const RECURSION: Readonly<Record<string, Setter>> = {
  enabled: () => {},
  disabled: (draft) => {
    draft.bind.NonRecursive = true;
  },
  writable: (draft) => {
    draft.bind.ReadOnlyNonRecursive = true;
  },
  readonly: (draft) => {
    draft.bind.ReadOnlyForceRecursive = true;
  },
};

const setTarget: Setter = (draft, value) => {
  draft.Target = value;
};
const setSource: Setter = (draft, value) => {
  draft.Source = /^\.{1,2}(\/|$)/.test(value) ? absolute(value) : value;
};
const setReadOnly: Setter = (draft, value) => {
  draft.ReadOnly = boolOf('readonly', value);
};

const FIELDS: Readonly<Record<string, Setter>> = {
  type: (draft, value) => {
    draft.Type = value.toLowerCase();
  },
  source: setSource,
  src: setSource,
  target: setTarget,
  dst: setTarget,
  destination: setTarget,
  readonly: setReadOnly,
  ro: setReadOnly,
  consistency: (draft, value) => {
    draft.Consistency = value.toLowerCase();
  },
  'bind-propagation': (draft, value) => {
    draft.bind.Propagation = value.toLowerCase();
  },
  'bind-nonrecursive': (draft, value) => {
    draft.bind.NonRecursive = boolOf('bind-nonrecursive', value);
  },
  'bind-create-src': (draft, value) => {
    draft.bind.CreateMountpoint = boolOf('bind-create-src', value);
  },
  'bind-recursive': (draft, value, field) => {
    const set = ownValue(RECURSION, value);
    if (!set)
      throw new Error(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
    set(draft, value, field);
  },
  'volume-nocopy': (draft, value) => {
    draft.volume.NoCopy = boolOf('volume-nocopy', value);
  },
  'volume-subpath': (draft, value) => {
    draft.volume.Subpath = value;
  },
  'volume-label': (draft, value) => {
    draft.volume.Labels = addTo(draft.volume.Labels, value);
  },
  'volume-driver': (draft, value) => {
    draft.volume.DriverConfig = { ...draft.volume.DriverConfig, Name: value };
  },
  'volume-opt': (draft, value) => {
    const { DriverConfig } = draft.volume;
    draft.volume.DriverConfig = { ...DriverConfig, Options: addTo(DriverConfig?.Options, value) };
  },
  'image-subpath': (draft, value) => {
    draft.image.Subpath = value;
  },
  'tmpfs-size': (draft, value) => {
    draft.tmpfs.SizeBytes = sizeOf(value);
  },
  'tmpfs-mode': (draft, value) => {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for tmpfs-mode: ${value}`);
    draft.tmpfs.Mode = Number.parseInt(value, 8);
  },
};

const SWITCHES = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src']);

function sizeOf(value: string): number {
  try {
    return parseBytes(value);
  } catch {
    throw new Error(`invalid value for tmpfs-size: ${value}`);
  }
}

const absolute = (path: string): string => {
  const parts: string[] = [];
  for (const part of `${process.cwd()}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
};

/**
 * Parses one `--mount` value (CSV of key=value).
 * @throws docker's texts, to be completed by the flag's name.
 */
export function parseMount(text: string): Mount {
  const draft: Draft = { Type: 'volume', Target: '', bind: {}, volume: {}, image: {}, tmpfs: {} };
  for (const field of parseCsv(text)) applyField(draft, field);
  checkDraft(draft, text);
  return finish(draft);
}

function applyField(draft: Draft, field: string): void {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  if (equals < 0 && !SWITCHES.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
  const set = ownValue(FIELDS, key);
  if (!set) throw new Error(`unexpected key '${key}' in '${field}'`);
  set(draft, equals < 0 ? 'true' : field.slice(equals + 1), field);
}

const isUsed = (part: object): boolean => Object.keys(part).length > 0;

function checkDraft(draft: Draft, text: string): void {
  if (draft.Type === '') throw new Error('type is required');
  if (draft.Target === '') throw new Error('target is required');
  const { Type } = draft;
  for (const kind of ['bind', 'volume', 'image', 'tmpfs'] as const) {
    if (isUsed(draft[kind]) && Type !== kind)
      throw new Error(`cannot mix '${kind}-*' options with mount type '${Type}'`);
  }
  checkRecursion(draft, text);
}

function checkRecursion({ bind, ReadOnly }: Draft, _text: string): void {
  if (bind.ReadOnlyNonRecursive && !ReadOnly) {
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  }
  if (!bind.ReadOnlyForceRecursive) return;
  if (!ReadOnly)
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
  if (bind.Propagation !== 'rprivate') {
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    );
  }
}

function finish({ Type, Source, Target, ReadOnly, Consistency, bind, volume, image, tmpfs }: Draft): Mount {
  return {
    Type,
    ...(Source !== undefined && Source !== '' && { Source }),
    Target,
    ...(ReadOnly && { ReadOnly }),
    ...(Consistency !== undefined && { Consistency }),
    ...(isUsed(bind) && { BindOptions: bind }),
    ...(isUsed(volume) && { VolumeOptions: volume }),
    ...(isUsed(image) && { ImageOptions: image }),
    ...(isUsed(tmpfs) && { TmpfsOptions: tmpfs }),
  };
}

export function validateMount(text: string): string {
  parseMount(text);
  return text;
}

/** `-v` values: binds keep their notation with the host path made absolute; a lone path is an anonymous volume.
 * @throws docker's texts for what is empty. */
export function splitVolumes(texts: readonly string[]): { binds: string[]; anonymous: string[] } {
  const binds: string[] = [];
  const anonymous: string[] = [];
  for (const text of texts) {
    if (text === '') throw cliError('invalid empty volume spec');
    const colon = text.indexOf(':');
    // Docker takes one or two characters for a path, whatever they are.
    if (colon < 0 || text.length <= 2) anonymous.push(text);
    else if (/^:|::/.test(text)) throw cliError(`invalid spec: ${text}: empty section between colons`);
    else if (text.startsWith('.')) binds.push(`${absolute(text.slice(0, colon))}${text.slice(colon)}`);
    else binds.push(text);
  }
  return { binds, anonymous };
}
