import { type ApiRequest, header } from './request.ts';

/** The one of `offered` that the client likes best of those it names; undefined when it names none (wildcards name none). */
export function acceptedType(request: ApiRequest, offered: readonly string[]): string | undefined {
  const wanted = (header(request, 'accept') ?? '').split(',').map(readRange);
  return wanted
    .filter(({ type, quality }) => quality > 0 && offered.includes(type))
    .reduce<Range | undefined>(
      (best, range) => (best && best.quality >= range.quality ? best : range),
      undefined,
    )?.type;
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 };
}
