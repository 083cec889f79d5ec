import { errnoFromText } from '../errno.ts';
import { SysError } from '../errors.ts';

/** nft's explanation as an error. nft reports errors only as text, so the errno is read from its end. */
export function nftError(text: string): SysError {
  const lines = text.trim().split('\n');
  const first = lines.find((line) => line.includes('Error:')) ?? lines[0] ?? '';
  // `No such file or directory; did you mean table …` when a similar name exists.
  const reason = first.split('; did you mean')[0] ?? '';
  return new SysError(errnoFromText(reason) ?? 'EINVAL', 'nft', text.trim());
}

/** The objects of a JSON listing. */
export function parseListing(text: string): readonly Record<string, unknown>[] {
  const parsed: unknown = JSON.parse(text);
  const objects =
    typeof parsed === 'object' && parsed !== null && 'nftables' in parsed ? parsed.nftables : undefined;
  if (!Array.isArray(objects)) throw new SysError('EBADMSG', 'nft', 'listing without "nftables"');
  return objects as Record<string, unknown>[];
}
