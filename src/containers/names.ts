import { randomInt } from 'node:crypto';
import { emptyName, invalidName } from './errors.ts';
import { ADJECTIVES, SURNAMES } from './name-words.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * A name as stored: without docker's optional leading slash.
 * @throws `invalid_argument` with docker's text; at least two characters.
 */
export function checkName(given: string): string {
  const name = given.startsWith('/') ? given.slice(1) : given;
  if (name === '') throw emptyName();
  if (!isName(name)) throw invalidName(name);
  return name;
}

/** At least two characters, none of them special. */
export const isName = (text: string): boolean => NAME.test(text);

const TRIES = 6;

/**
 * `brave_noether`: a random name that `isTaken` does not know. After a few collisions a number is added, which
 * grows until the name is free.
 */
export function generateName(
  isTaken: (name: string) => boolean,
  random: (below: number) => number = randomInt,
): string {
  const pick = () => `${ADJECTIVES[random(ADJECTIVES.length)]}_${SURNAMES[random(SURNAMES.length)]}`;
  let name = pick();
  for (let attempt = 1; attempt < TRIES && isTaken(name); attempt += 1) name = pick();
  let candidate = name;
  for (let number = 1; isTaken(candidate); number += 1) candidate = `${name}${number}`;
  return candidate;
}
