import type { ApiVersion, Decoder } from '#api';
import type { Params, QueryOf } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import type { ApiRequest } from '../http/request.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** What a handler gets: everything read and checked. It never sees a version. */
export interface Call<Query, Body> {
  /** The one variable part of the path, decoded; empty for a path without. */
  readonly target: string;
  readonly query: Query;
  readonly body: Body;
  readonly request: ApiRequest;
}

/** A route as data. The router, the version table and the reference pages are made from it. */
export interface Route {
  /** Name of the operation: key of the version table and heading of the reference. */
  readonly name: string;
  readonly method: Method;
  /** `/containers/{id}/json`: at most one variable part, which may contain slashes. */
  readonly path: string;
  /** First version that has it. */
  readonly since?: ApiVersion;
  /** Last version that has it. */
  readonly until?: ApiVersion;
  readonly summary: string;
  /** Why every request is refused: there is the route, not what it is for. */
  readonly refused?: string;
  readonly params: Params;
  readonly body?: BodySpec;
  readonly handle: (call: Call<never, never>) => Reply | Promise<Reply>;
}

export type BodySpec =
  | {
      readonly kind: 'json';
      readonly decoder: Decoder<unknown>;
      readonly required: boolean;
      readonly anyContentType: boolean;
    }
  | { readonly kind: 'stream' };

interface RouteSpec<P extends Params, Body> {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly since?: ApiVersion;
  readonly until?: ApiVersion;
  readonly summary: string;
  readonly refused?: string;
  readonly params?: P;
  /** JSON body. */
  readonly body?: Decoder<Body>;
  /** An empty body is an error. */
  readonly bodyRequired?: boolean;
  readonly anyContentType?: boolean;
  /** The body is bytes, read by the handler. */
  readonly streamBody?: boolean;
  readonly handle: (call: Call<QueryOf<P>, Body>) => Reply | Promise<Reply>;
}

/** Checks that parameters, body and handler fit together. */
export function route<P extends Params = Record<never, never>, Body = undefined>(
  spec: RouteSpec<P, Body>,
): Route {
  const { name, method, path, since, until, summary, refused } = spec;
  const body = bodySpec(spec);
  return {
    name,
    method,
    path,
    summary,
    params: spec.params ?? {},
    handle: spec.handle as Route['handle'],
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(refused === undefined ? {} : { refused }),
    ...(body === undefined ? {} : { body }),
  };
}

function bodySpec<P extends Params, Body>(spec: RouteSpec<P, Body>): BodySpec | undefined {
  if (spec.streamBody) return { kind: 'stream' };
  if (!spec.body) return undefined;
  return {
    kind: 'json',
    decoder: spec.body,
    required: spec.bodyRequired ?? false,
    anyContentType: spec.anyContentType ?? false,
  };
}
