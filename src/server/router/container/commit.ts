import { type ContainerCreateRequest, containerCreateRequest } from '#api';
import { toContainerConfig } from '../../convert/container-config.ts';
import { flagDefaultTrue, text, texts } from '../../http/query.ts';
import { created, type Reply } from '../../http/reply.ts';
import { joinReference } from '../image/input.ts';
import { type Call, type Route, route } from '../route.ts';
import type { ContainerBackend } from './backend.ts';

interface CommitQuery {
  readonly container: string;
  readonly repo: string;
  readonly tag: string;
  readonly comment: string;
  readonly author: string;
  readonly pause: boolean;
  readonly changes: readonly string[];
}

export function commitRoute(backend: Pick<ContainerBackend, 'commit'>): Route {
  return route({
    name: 'ImageCommit',
    method: 'POST',
    path: '/commit',
    summary: 'Makes an image of what a container has become.',
    params: {
      container: text,
      repo: text,
      tag: text,
      comment: text,
      author: text,
      pause: flagDefaultTrue,
      changes: texts,
    },
    body: containerCreateRequest,
    handle: (call) => commit(backend, call),
  });
}

async function commit(
  backend: Pick<ContainerBackend, 'commit'>,
  { query, body }: Call<CommitQuery, ContainerCreateRequest>,
): Promise<Reply> {
  const reference = joinReference(query.repo, query.tag);
  const { id } = await backend.commit(query.container, {
    pause: query.pause,
    author: query.author,
    comment: query.comment,
    changes: query.changes,
    ...(reference === '' ? {} : { reference }),
    ...(Object.keys(body).length === 0 ? {} : { config: toContainerConfig(body) }),
  });
  return created({ Id: id });
}
