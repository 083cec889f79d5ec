/**
 * `--cap-add` and `--cap-drop` in the names the engine uses: upper case with `CAP_`, or `ALL`; each once, sorted. What is
 * both added and dropped is added, unless everything is added.
 */
export function toCapabilities(
  add: readonly string[],
  drop: readonly string[],
): { readonly CapAdd: readonly string[] | null; readonly CapDrop: readonly string[] | null } {
  const added = new Set(add.map(normalize));
  const dropped = new Set(drop.map(normalize));
  if (added.has('ALL')) return { CapAdd: ['ALL'], CapDrop: listed([...dropped]) };
  const kept = dropped.has('ALL') ? ['ALL'] : [...dropped].filter((name) => !added.has(name));
  return { CapAdd: listed([...added]), CapDrop: listed(kept) };
}

function normalize(text: string): string {
  const name = text.trim().toUpperCase();
  if (name === 'ALL' || name === 'RESET') return name;
  return name.startsWith('CAP_') ? name : `CAP_${name}`;
}

const listed = (names: readonly string[]): readonly string[] | null =>
  names.length > 0 ? [...names].sort() : null;
