import type { SandboxLink } from '#network';
import { badLink } from '../errors.ts';
import type { Container } from '../model.ts';

/** A link as the user gave it. */
export interface LinkRequest {
  readonly target: string;
  readonly alias: string;
}

/**
 * Reads `name`, `name:alias`, `name:/alias` and what inspect shows, `/name:/parent/alias`.
 * @throws `invalid_argument` with docker's texts. Source: docker/cli opts/link.go.
 */
export function parseLink(text: string): LinkRequest {
  if (text === '') throw badLink('empty string specified for links');
  const [target = '', alias = target, ...rest] = text.split(':');
  if (rest.length > 0) throw badLink(`bad format for links: ${text}`);
  if (!target.startsWith('/')) return { target, alias: alias.replace(/^\/+/, '') };
  return { target: target.slice(1), alias: alias.slice(alias.lastIndexOf('/') + 1) };
}

/** What the network has to open for the link: every port the target exposes. */
export const openedBy = ({ id, config }: Container): SandboxLink => ({
  containerId: id,
  ports: config.exposedPorts.map(parseExposed),
});

export interface ExposedPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

export function parseExposed(text: string): ExposedPort {
  const [port, protocol = 'tcp'] = text.split('/');
  return { port: Number(port), protocol: protocol as ExposedPort['protocol'] };
}
