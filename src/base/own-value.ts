/** The entry of a table under a name that came from outside: what every object inherits (`constructor`) is none. */
export const ownValue = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
