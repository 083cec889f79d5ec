import { type GantryError, invalidArgument } from '#base';

/** `invalid filter`, `invalid filter 'foo'` or `invalid filter 'foo=[a b]'`. Source: docker's daemon/internal/filters. */
export function invalidFilter(key?: string, values?: readonly string[]): GantryError {
  if (key === undefined) return invalidArgument('invalid filter');
  return invalidArgument(`invalid filter '${key}${values ? `=[${values.join(' ')}]` : ''}'`);
}

/** Any malformed or ill-typed request body; `reason` is Go's text. Source: docker's httputils.ReadJSON. */
export const invalidJson = (reason: string): GantryError => invalidArgument(`invalid JSON: ${reason}`);

export const jsonEof = (): GantryError => invalidJson('got EOF while reading request body');
export const contentAfterJson = (): GantryError => invalidArgument('unexpected content after JSON');

/** Texts of `docker run -p`. Source: docker/go-connections nat.ParsePortSpec. */
export const portErrors = {
  ip: (ip: string) => invalidArgument(`invalid IP address: ${ip}`),
  empty: (spec: string) => invalidArgument(`no port specified: ${spec}<empty>`),
  containerPort: (port: string) => invalidArgument(`invalid containerPort: ${port}`),
  hostPort: (port: string) => invalidArgument(`invalid hostPort: ${port}`),
  ranges: (container: string, host: string) =>
    invalidArgument(`invalid ranges specified for container and host Ports: ${container} and ${host}`),
  protocol: (protocol: string) => invalidArgument(`invalid proto: ${protocol}`),
} as const;
