import { ownValue } from '#base';
import { ArgumentMismatch, EvalFailure } from './errors.ts';
import { isMap, Struct, typeName } from './values.ts';

export interface LookupOptions {
  /** What a missing key of a map does: nothing (`<no value>`), or an error. */
  readonly missingKey: 'empty' | 'error';
  /**
   * Keys that may be left out where the reference client has a typed field: they read as nil. Names are also found when
   * only their case differs, because Go's field `ID` is `Id` on the wire.
   */
  readonly optionalKeys?: ReadonlySet<string>;
}

interface Step extends LookupOptions {
  /** The name before this one, for messages. */
  readonly from: string;
  readonly args: readonly unknown[];
}

/** `.name` on a value. @throws EvalFailure with Go's texts. */
export function lookupField(value: unknown, name: string, step: Step): unknown {
  if (value instanceof Struct) return structField(value, name, step);
  if (isMap(value)) {
    const method = ownValue(value, name);
    if (typeof method === 'function')
      return (method as (...given: readonly unknown[]) => unknown)(...step.args);
    if (step.args.length > 0) throw new EvalFailure(`${name} is not a method but has arguments`);
    return mapField(value, name, step);
  }
  if (value === undefined || value === null) return absentField(value, name, step);
  // Values out of JSON have no type of their own for Go.
  const type = step.missingKey === 'error' ? 'interface {}' : typeName(value);
  throw new EvalFailure(`can't evaluate field ${name} in type ${type}`);
}

function structField(struct: Struct, name: string, { args }: Step): unknown {
  if (!Object.hasOwn(struct.fields, name)) {
    throw new EvalFailure(`can't evaluate field ${name} in type ${struct.typeName}`);
  }
  const value = struct.fields[name];
  if (typeof value !== 'function') {
    if (args.length > 0) throw new EvalFailure(`${name} is not a method but has arguments`);
    return value;
  }
  if (value.length !== args.length) {
    throw new EvalFailure(`wrong number of args for ${name}: want ${value.length} got ${args.length}`);
  }
  const other = args.findIndex((argument) => typeof argument !== 'string');
  if (other >= 0) throw new ArgumentMismatch(other, 'string', typeName(args[other]));
  return (value as (...given: readonly unknown[]) => unknown)(...args);
}

function mapField(
  map: Readonly<Record<string, unknown>>,
  name: string,
  { missingKey, optionalKeys }: Step,
): unknown {
  if (Object.hasOwn(map, name)) return map[name];
  if (optionalKeys) {
    const folded = Object.keys(map).find((key) => key.toLowerCase() === name.toLowerCase());
    if (folded !== undefined) return map[folded];
    if (optionalKeys.has(name)) return null;
  }
  if (missingKey === 'error') throw new EvalFailure(`map has no entry for key ${JSON.stringify(name)}`);
  return undefined;
}

function absentField(value: undefined | null, name: string, { missingKey, from }: Step): undefined {
  if (missingKey === 'error') {
    throw new EvalFailure(
      from === ''
        ? `nil data; no entry for key ${JSON.stringify(name)}`
        : `map has no entry for key ${JSON.stringify(from)}`,
    );
  }
  if (value === null) throw new EvalFailure(`nil pointer evaluating interface {}.${name}`);
  return undefined;
}
