import { parseBytes } from '#base';
import { cliError } from '../core/errors.ts';

const UNITS = /^(?:b|[kmgtp](?:i?b)?)?$/i;

/**
 * `64m`, `1.5GiB`, `1000`: a size in bytes. The engine's own notation, with the command line's texts.
 * @throws `invalid size: 'x'`, `invalid suffix: 'x'`, or Go's text for a number that is none.
 */
export function parseSize(text: string): number {
  const last = Math.max(...[...text].map((char, at) => (/[0-9. ]/.test(char) ? at : -1)));
  if (last < 0) throw cliError(`invalid size: '${text}'`);
  const number = text.slice(0, text[last] === ' ' ? last : last + 1);
  const suffix = text.slice(last + 1);
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(number))
    throw cliError(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`);
  if (Number(number) < 0) throw cliError(`invalid size: '${text}'`);
  if (!UNITS.test(suffix)) throw cliError(`invalid suffix: '${suffix}'`);
  return parseBytes(`${Number(number)}${suffix}`);
}
