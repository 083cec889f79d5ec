/** Totals of a JUnit report. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** A line for each failure: where, what, why. */
  readonly failures: readonly string[];
}

export const NO_TESTS: Totals = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** What counts as one failure. */
export const failure = (line: string): Totals => ({ ...NO_TESTS, failed: 1, failures: [line] });

/** A failure's reason is cut off here: the end of a run shows all failures on one screen. */
const REASON_CHARACTERS = 200;

export const addTotals = (a: Totals, b: Totals): Totals => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failures: [...a.failures, ...b.failures],
});

/** Reads the totals from the report's root element. Undefined when the text is no complete report. */
export function parseJunitTotals(xml: string): Totals | undefined {
  const root = /<testsuites\b([^>]*)>/.exec(xml)?.[1];
  if (root === undefined || !xml.includes('</testsuites>')) return undefined;
  const attribute = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const failed = attribute('failures') + attribute('errors');
  const skipped = attribute('skipped');
  return { passed: attribute('tests') - failed - skipped, failed, skipped, failures: readFailures(xml) };
}

/** `file:line: group > name: reason` for each failed test. */
function readFailures(xml: string): string[] {
  const failed = /<testcase\b([^>]*[^/>])>\s*<(?:failure|error)\b([^>]*)>/g;
  return Array.from(xml.matchAll(failed), ([, test = '', reason = '']) => {
    const name = [attributeOf(test, 'classname'), attributeOf(test, 'name')].filter((part) => part !== '');
    const where = `${attributeOf(test, 'file')}:${attributeOf(test, 'line')}`;
    const why = attributeOf(reason, 'message').replaceAll(/\s+/g, ' ').slice(0, REASON_CHARACTERS).trim();
    return `${where}: ${name.join(' > ')}: ${why}`;
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function attributeOf(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
  return value.replaceAll(/&(?:#(\d+)|(\w+));/g, (entity, code?: string, word = '') =>
    code === undefined ? (ENTITIES[word] ?? entity) : String.fromCodePoint(Number(code)),
  );
}

/** `3 passed, 1 failed` and, when there are any, `, 2 skipped`. */
export function formatTotals({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
