import { invalidArgument } from '#base';
import { type Digest, isDigest } from './digest.ts';

/**
 * A normalised image reference: `docker.io/library/busybox`, tag `latest`.
 * Source: distribution/reference grammar and its "familiar" short forms.
 */
export interface Reference {
  /** Registry host with its port: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** Repository path without the domain: `library/busybox`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

export const DEFAULT_DOMAIN = 'docker.io';
export const DEFAULT_TAG = 'latest';
const OFFICIAL_PREFIX = 'library/';
const MAX_NAME_LENGTH = 255;

const TAG = /^[\w][\w.-]{0,127}$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const DOMAIN_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);

/**
 * Parses what a user types (`busybox`, `me/app:1.0`, `host:5000/x@sha256:…`) to its normal form.
 * A missing tag stays undefined: see {@link withDefaultTag}.
 * @throws `invalid_argument` with docker's texts.
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { name, tag, digest } = split(text);
  const { domain, path } = splitDomain(name);
  if (path !== path.toLowerCase()) {
    throw invalidArgument(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  const valid =
    DOMAIN.test(domain) &&
    path.split('/').every((component) => PATH_COMPONENT.test(component)) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || isDigest(digest));
  if (!valid) throw invalidArgument('invalid reference format');
  if (path.length > MAX_NAME_LENGTH) {
    throw invalidArgument(`repository name must not be more than ${MAX_NAME_LENGTH} characters`);
  }
  return { domain, path, tag, digest: digest as Digest | undefined };
}

/** {@link parseReference}, or undefined where that throws. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function split(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@');
  const digest = at >= 0 ? text.slice(at + 1) : undefined;
  const rest = at >= 0 ? text.slice(0, at) : text;
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  return {
    name: hasTag ? rest.slice(0, colon) : rest,
    tag: hasTag ? rest.slice(colon + 1) : undefined,
    digest,
  };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash >= 0 ? name.slice(0, slash) : '';
  const isDomain =
    slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = isDomain ? (first === 'index.docker.io' ? DEFAULT_DOMAIN : first) : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  const official = domain === DEFAULT_DOMAIN && !path.includes('/');
  return { domain, path: official ? `${OFFICIAL_PREFIX}${path}` : path };
}

/** `docker.io/library/busybox`: the repository's full name. */
export const repositoryName = (ref: Reference): string => `${ref.domain}/${ref.path}`;

/** The reference with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(ref: Reference): Reference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: DEFAULT_TAG } : ref;
}

/** `docker.io/library/busybox:latest`: the full, canonical text. Used as key in the store. */
export function formatReference(ref: Reference): string {
  return `${repositoryName(ref)}${suffix(ref)}`;
}

/** `busybox`: the shortest name of the repository that parses back to it. */
export function familiarName(ref: Reference): string {
  if (ref.domain !== DEFAULT_DOMAIN) return repositoryName(ref);
  const short = ref.path.startsWith(OFFICIAL_PREFIX) ? ref.path.slice(OFFICIAL_PREFIX.length) : ref.path;
  if (!short.includes('/')) return short;
  // `docker.io/localhost/x` without its domain would be read as another registry's.
  return splitDomain(ref.path).domain === DEFAULT_DOMAIN ? ref.path : repositoryName(ref);
}

/** `busybox:latest`: the shortest text that parses back to the same reference. */
export function familiarReference(ref: Reference): string {
  return `${familiarName(ref)}${suffix(ref)}`;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
