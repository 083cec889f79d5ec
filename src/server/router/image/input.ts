import {
  authConfig,
  booleanFilter,
  decodeJson,
  type Filters,
  invalidFilter,
  platformRequest,
  requireFilterKeys,
} from '#api';
import { errorMessage, parseDurationNs } from '#base';
import type { ImageFilters } from '#images';
import type { Platform } from '#oci';
import { badPlatform, incompletePlatform, platformWithoutMachine, severalUntil } from '../../errors.ts';
import type { Credentials } from '../system/backend.ts';

const LIST_KEYS = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];
const PRUNE_KEYS = ['dangling', 'label', 'label!', 'until'];

/** `busybox` for `docker.io/library/busybox`: what people see. */
export function familiarName(canonical: string): string {
  const library = 'docker.io/library/';
  if (canonical.startsWith(library) && !canonical.slice(library.length).includes('/')) {
    return canonical.slice(library.length);
  }
  return canonical.startsWith('docker.io/') ? canonical.slice('docker.io/'.length) : canonical;
}

/** Filters of `docker images`. @throws `invalid_argument`. */
export function listFilters(filters: Filters): ImageFilters {
  requireFilterKeys(filters, LIST_KEYS);
  return toFilters(filters);
}

/** Filters of `docker image prune`; `dangling=false` is `--all`. @throws `invalid_argument`. */
export function pruneOptions(filters: Filters): { all: boolean; filters: ImageFilters } {
  requireFilterKeys(filters, PRUNE_KEYS);
  if ((filters['until'] ?? []).length > 1) throw severalUntil();
  const { dangling: _, ...rest } = filters;
  return { all: booleanFilter(filters, 'dangling') === false, filters: toFilters(rest) };
}

function toFilters(filters: Filters): ImageFilters {
  const { reference, label, 'label!': notLabel, before, since, until = [] } = filters;
  const dangling = booleanFilter(filters, 'dangling');
  return {
    ...(reference && { reference }),
    ...(dangling !== undefined && { dangling }),
    ...(label && { label }),
    ...(notLabel && { notLabel }),
    ...(before && { before }),
    ...(since && { since }),
    // Every one must hold: the earliest decides.
    ...(until.length > 0 && { untilMs: Math.min(...until.map(parseUntil)) }),
  };
}

/** A Go duration back from now, seconds since the epoch, or a date. */
function parseUntil(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(date)) return date;
  try {
    return Date.now() - parseDurationNs(text) / 1e6;
  } catch {
    throw invalidFilter('until', [text]);
  }
}

/** Repository and tag (or digest) of a query as one text; empty without a repository. */
export function joinReference(repository: string, tag: string): string {
  if (repository === '' || tag === '') return repository;
  return tag.includes(':') ? `${repository}@${tag}` : `${repository}:${tag}`;
}

/** The header `X-Registry-Auth`. Anything unreadable counts as not given, as in docker. */
export function readCredentials(header: string | undefined): Credentials | undefined {
  if (!header) return undefined;
  try {
    const config = decodeJson(authConfig, Buffer.from(header, 'base64').toString('utf8'));
    return {
      username: config.username ?? '',
      password: config.password ?? '',
      serverAddress: config.serveraddress ?? '',
      identityToken: config.identitytoken ?? '',
    };
  } catch {
    return undefined;
  }
}

/** `linux/arm64/v8` for an import. */
export function importPlatform(text: string | undefined) {
  if (!text) return undefined;
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** `{"os":"linux","architecture":"arm64"}`. @throws `invalid_argument` with docker's texts. Source: docker's httputils. */
export function platformFromJson(text: string): Platform {
  const { os = '', architecture = '', variant = '' } = parsePlatformJson(text);
  if (os === '' && architecture === '' && variant !== '') throw platformWithoutMachine();
  if (os === '' || architecture === '') throw incompletePlatform();
  return { os, architecture, ...(variant === '' ? {} : { variant }) };
}

function parsePlatformJson(text: string) {
  try {
    return decodeJson(platformRequest, text);
  } catch (error) {
    throw badPlatform(errorMessage(error).replace(/^invalid JSON: /, ''));
  }
}
