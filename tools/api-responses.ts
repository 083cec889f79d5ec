/** What the documents of all versions say of answers. Source: moby `api/docs/v1.25.yaml` to `api/swagger.yaml`, `daemon/server/router`. */
export interface ResponseFacts {
  /** By operation: version range (`24-`, `44-51`) to paths (`HostConfig.Memory`, `Mounts[].Source`), set apart by blanks. */
  readonly fields: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By operation: paths that docker's engine hides from clients of versions before this one. */
  readonly gated: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Why an answer has not exactly the documented fields. */
export interface ResponseNote {
  readonly operation: string;
  /** The path and everything below it. */
  readonly path: string;
  /**
   * `missing`: documented and not answered. `early`: answered before the version that has it, where docker hides it.
   * `late`: answered although no document from this version on has it.
   */
  readonly kind: 'missing' | 'early' | 'late';
  readonly reason: string;
}

export interface ResponseDifference {
  readonly operation: string;
  readonly version: number;
  readonly kind: ResponseNote['kind'];
  readonly path: string;
}

/** The documented paths of one version. */
export function documentedFields(facts: ResponseFacts, operation: string, version: number): Set<string> {
  const ranges = Object.entries(facts.fields[operation] ?? {});
  return new Set(ranges.flatMap(([range, paths]) => (covers(range, version) ? paths.split(' ') : [])));
}

const covers = (ranges: string, version: number): boolean =>
  ranges.split(',').some((range) => {
    const [first, last] = range.split('-');
    return version >= Number(first) && version <= (last ? Number(last) : Number.POSITIVE_INFINITY);
  });

/** Paths of an answer. What the documents of no version open up further counts as one value: a map of texts, say. */
export function answeredFields(facts: ResponseFacts, operation: string, answer: unknown): Set<string> {
  const known = Object.values(facts.fields[operation] ?? {}).flatMap((paths) => paths.split(' '));
  const opens = (prefix: string): boolean => known.some((path) => path.startsWith(prefix));
  const found = new Set<string>();
  const visit = (value: unknown, at: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, `${at}[]`);
    else if (typeof value === 'object' && value !== null) visitObject(value, at);
  };
  const visitObject = (value: object, at: string): void => {
    if (opens(`${at}{}`)) {
      for (const field of Object.values(value)) visit(field, `${at}{}`);
    } else if (at === '' || opens(`${at}.`)) {
      for (const [name, field] of Object.entries(value))
        visitField(at === '' ? name : `${at}.${name}`, field);
    }
  };
  const visitField = (path: string, field: unknown): void => {
    found.add(path);
    visit(field, path);
  };
  visit(answer, '');
  return found;
}

/** How an answer differs from the documents. Fields that are newer than the client are no difference: docker sends them too. */
export function compareResponse(
  facts: ResponseFacts,
  operation: string,
  version: number,
  answer: unknown,
): ResponseDifference[] {
  const documented = documentedFields(facts, operation, version);
  const answered = answeredFields(facts, operation, answer);
  const gates = Object.entries(facts.gated[operation] ?? {});
  const isEarly = (path: string) => gates.some(([gated, since]) => version < since && isBelow(path, gated));
  const later = laterFields(facts, operation, version);
  const differences = (kind: ResponseNote['kind'], paths: readonly string[]) =>
    paths.map((path) => ({ operation, version, kind, path }));
  return [
    ...differences(
      'missing',
      [...documented].filter((path) => !answered.has(path)),
    ),
    ...differences('early', [...answered].filter(isEarly)),
    ...differences(
      'late',
      [...answered].filter((path) => !later.has(path)),
    ),
  ];
}

/** Fields that the documents of this version or of any newer one have. */
function laterFields(facts: ResponseFacts, operation: string, version: number): Set<string> {
  const ranges = Object.entries(facts.fields[operation] ?? {});
  const isLater = (range: string) => {
    const last = range.split(',').at(-1)?.split('-')[1];
    return !last || Number(last) >= version;
  };
  return new Set(ranges.flatMap(([range, paths]) => (isLater(range) ? paths.split(' ') : [])));
}

const isBelow = (path: string, above: string): boolean =>
  path === above || ['.', '[', '{'].some((next) => path.startsWith(above + next));

/** The note that explains a difference; undefined for one that nobody has explained. */
export function noteFor(
  notes: readonly ResponseNote[],
  { operation, kind, path }: ResponseDifference,
): ResponseNote | undefined {
  return notes.find((note) => note.operation === operation && note.kind === kind && isBelow(path, note.path));
}

/** The part of the coverage page about answers: what is left out, and why. */
export function responsesSection(
  facts: ResponseFacts,
  notes: readonly ResponseNote[],
  version: number,
  answers: ReadonlyMap<string, unknown>,
): string[] {
  const rows = [...answers].map(([operation, answer]) => {
    const documented = documentedFields(facts, operation, version);
    const missing = compareResponse(facts, operation, version, answer).filter(
      ({ kind }) => kind === 'missing',
    );
    const reasons = new Map<string, string[]>();
    for (const difference of missing) {
      const note = noteFor(notes, difference);
      const reason = note?.reason ?? 'not answered';
      reasons.set(reason, [...new Set([...(reasons.get(reason) ?? []), note?.path ?? difference.path])]);
    }
    const left = [...reasons].map(
      ([reason, paths]) => `${paths.map((path) => `\`${path}\``).join(', ')}: ${reason}`,
    );
    return `| ${operation} | ${documented.size - missing.length} of ${documented.size} | ${left.join('; ')} |`;
  });
  return [
    '',
    '## Answers',
    '',
    'Fields of the answers, asked of the server itself. `tools/api-responses.test.ts` compares those of every version with',
    'what its documents have.',
    '',
    '| operation | fields | left out |',
    '| --- | --- | --- |',
    ...rows,
  ];
}
