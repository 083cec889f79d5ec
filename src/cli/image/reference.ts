import { cliError } from '../core/errors.ts';

const OFFICIAL = 'library/';
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** An image name taken apart. */
export interface ImageName {
  /** Without default domain and `library/`, as people write it. */
  readonly familiar: string;
  /** `latest` unless given; empty with a digest. */
  readonly tag: string;
  readonly digest: string;
}

/**
 * Takes an image name apart, far enough to show and to split it; the engine checks the rest.
 * @throws docker's texts for names that can never be right.
 */
export function parseImageName(text: string): ImageName {
  const at = text.indexOf('@');
  const digest = at < 0 ? '' : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  const path = familiarName(name);
  const remainder = hasDomain(name) ? name.slice(name.indexOf('/') + 1) : name;
  if (remainder !== remainder.toLowerCase()) {
    const shown = remainder.includes('/') || hasDomain(name) ? remainder : `${OFFICIAL}${remainder}`;
    throw cliError(`invalid reference format: repository name (${shown}) must be lowercase`);
  }
  const tag = colon < 0 ? '' : named.slice(colon + 1);
  const validDigest = at < 0 || DIGEST.test(digest);
  const validTag = colon < 0 || /^\w[\w.-]{0,127}$/.test(tag);
  if (
    !/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(remainder) ||
    !validTag ||
    !validDigest
  ) {
    throw cliError('invalid reference format');
  }
  return { familiar: path, tag: tag || (digest === '' ? 'latest' : ''), digest };
}

function hasDomain(name: string): boolean {
  const slash = name.indexOf('/');
  if (slash < 0) return false;
  const first = name.slice(0, slash);
  return /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
}

function familiarName(name: string): string {
  const bare = name.replace(/^(index\.)?docker\.io\//, '');
  return bare.startsWith(OFFICIAL) && !bare.slice(OFFICIAL.length).includes('/')
    ? bare.slice(OFFICIAL.length)
    : bare;
}

/** `busybox:latest`, `busybox@sha256:…`: the full name as messages show it. */
export function familiarString({ familiar, tag, digest }: ImageName): string {
  return `${familiar}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}
