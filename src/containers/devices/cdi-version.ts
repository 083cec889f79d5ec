import { invalidArgument } from '#base';

/** Released versions of the CDI format, oldest first. Source: CDI SPEC.md, released versions. */
const VERSIONS: readonly string[] = [
  '0.1.0',
  '0.2.0',
  '0.3.0',
  '0.4.0',
  '0.5.0',
  '0.6.0',
  '0.7.0',
  '0.8.0',
  '1.0.0',
  '1.1.0',
];

/**
 * Checks that a file is of a version that has everything it uses. `used`: versions that brought something, and whether
 * the file uses it.
 * @throws `invalid_argument`.
 */
export function requireVersion(version: string, used: ReadonlyMap<string, boolean>): void {
  const declared = VERSIONS.indexOf(version.replace(/^v/, ''));
  if (declared < 0) throw invalidArgument(`invalid CDI version ${JSON.stringify(version)}`);
  const needed = [...used].filter(([, isUsed]) => isUsed).map(([name]) => VERSIONS.indexOf(name));
  const least = Math.max(0, ...needed);
  if (least > declared) throw invalidArgument(`the CDI spec version must be at least v${VERSIONS[least]}`);
}
