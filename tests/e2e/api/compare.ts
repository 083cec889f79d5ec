import type { Exchange } from './conversation.ts';

/** How an answer differs from the recorded one: a line a fact, `where: theirs → ours`. Empty: not at all. */
export function differences(theirs: Exchange, ours: Exchange): string[] {
  const { body: theirBody, ...theirHead } = theirs;
  const { body: ourBody, ...ourHead } = ours;
  return [...compare('', theirHead, ourHead), ...compare('body', theirBody, ourBody)];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function compare(at: string, theirs: unknown, ours: unknown): string[] {
  if (isObject(theirs) && isObject(ours)) return compareObjects(at, theirs, ours);
  if (Array.isArray(theirs) && Array.isArray(ours) && theirs.length === ours.length) {
    return theirs.flatMap((item, index) => compare(`${at}[${index}]`, item, ours[index]));
  }
  const [before, after] = [JSON.stringify(theirs), JSON.stringify(ours)];
  return before === after ? [] : [`${at}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`];
}

function compareObjects(
  at: string,
  theirs: Readonly<Record<string, unknown>>,
  ours: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
  const common = (object: object, other: object) => Object.keys(object).filter((name) => name in other);
  const [theirOrder, ourOrder] = [common(theirs, ours), common(ours, theirs)].map((list) => list.join(' '));
  return [
    ...names.flatMap((name) => compare(at === '' ? name : `${at}.${name}`, theirs[name], ours[name])),
    ...(theirOrder === ourOrder ? [] : [`${at} in order: ${theirOrder} → ${ourOrder}`]),
  ];
}
