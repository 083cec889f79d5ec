import { formatHumanDuration } from '#base';

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

const charWidth = (char: string): number => (WIDE.test(char) ? 2 : 1);

/** Cuts a text to `maxWidth` columns; a cut one ends with `…`. */
export function ellipsis(text: string, maxWidth: number): string {
  if (maxWidth <= 0) return '';
  const chars = [...text];
  let width = 0;
  let kept = '';
  for (const [index, char] of chars.entries()) {
    width += charWidth(char);
    if (width > maxWidth) return maxWidth === 1 ? (chars[0] ?? '') : `${trimTo(kept, maxWidth - 1)}…`;
    if (index === chars.length - 1) return text;
    kept += char;
  }
  return text;
}

function trimTo(text: string, maxWidth: number): string {
  let width = 0;
  let kept = '';
  for (const char of text) {
    width += charWidth(char);
    if (width > maxWidth) break;
    kept += char;
  }
  return kept;
}

/** The value of one label; empty without it. */
export const labelOf = (labels: Readonly<Record<string, string>> | null | undefined, name: string): string =>
  labels && Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';

/** `a=1,b=2`, sorted. */
export function joinLabels(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

/** `5 minutes ago`. */
export const ago = (createdS: number, nowMs: number): string =>
  `${formatHumanDuration(nowMs - createdS * 1000)} ago`;

/** `2026-11-22 01:06:07 +0000 UTC`, as Go prints a time. */
export function goTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString();
  const sign = offset < 0 ? '-' : '+';
  const two = (value: number) => String(value).padStart(2, '0');
  const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${zone} ${zoneName(date, offset)}`;
}

function zoneName(date: Date, offset: number): string {
  if (offset === 0) return 'UTC';
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

/** Go prints the wire's RFC 3339 text of a UTC time as `2026-11-22 00:32:42.375549172 +0000 UTC`. */
export function goTimeOfText(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|([+-]\d\d):(\d\d))$/.exec(text);
  if (!match) return text;
  const [, day, clock, hours, minutes] = match;
  const zone = hours === undefined ? '+0000 UTC' : `${hours}${minutes} ${hours}${minutes}`;
  return `${day} ${clock?.replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') || clock.includes('.') ? '' : zeros))} ${zone}`;
}

/** Order in which `web2` comes before `web10`. */
export function naturalOrder(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    const numeric = /^\d/.test(part) && /^\d/.test(other);
    if (numeric && Number(part) !== Number(other)) return Number(part) - Number(other);
    return part < other ? -1 : 1;
  }
  return left.length - right.length;
}
