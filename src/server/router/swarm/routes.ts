import type { ApiVersion } from '#api';
import type { GantryError } from '#base';
import { inNoSwarm, noClusterVolumes, noLogStream, noSwarmMode, notSwarmManager } from '../../errors.ts';
import { flag, type Params } from '../../http/query.ts';
import { type Call, type Method, type Route, route } from '../route.ts';

const NO_SWARM = 'the engine is in no swarm, and there is no swarm mode yet';

type Row = readonly [name: string, method: Method, path: string, summary: string, since?: ApiVersion];

/** What only a manager can answer. */
const OF_MANAGERS: readonly Row[] = [
  ['SwarmInspect', 'GET', '/swarm', 'The swarm.'],
  ['SwarmUnlockkey', 'GET', '/swarm/unlockkey', 'The key that unlocks a manager.'],
  ['SwarmUpdate', 'POST', '/swarm/update', 'Changes the swarm.'],
  ['SwarmUnlock', 'POST', '/swarm/unlock', 'Unlocks a manager.'],
  ['NodeList', 'GET', '/nodes', 'Lists nodes.'],
  ['NodeInspect', 'GET', '/nodes/{id}', 'One node.'],
  ['NodeDelete', 'DELETE', '/nodes/{id}', 'Removes a node.'],
  ['NodeUpdate', 'POST', '/nodes/{id}/update', 'Changes a node.'],
  ['ServiceList', 'GET', '/services', 'Lists services.'],
  ['ServiceCreate', 'POST', '/services/create', 'Makes a service.'],
  ['ServiceInspect', 'GET', '/services/{id}', 'One service.'],
  ['ServiceDelete', 'DELETE', '/services/{id}', 'Removes a service.'],
  ['ServiceUpdate', 'POST', '/services/{id}/update', 'Changes a service.'],
  ['TaskList', 'GET', '/tasks', 'Lists tasks.'],
  ['TaskInspect', 'GET', '/tasks/{id}', 'One task.'],
  ['SecretList', 'GET', '/secrets', 'Lists secrets.', 25],
  ['SecretCreate', 'POST', '/secrets/create', 'Makes a secret.', 25],
  ['SecretInspect', 'GET', '/secrets/{id}', 'One secret.', 25],
  ['SecretDelete', 'DELETE', '/secrets/{id}', 'Removes a secret.', 25],
  ['SecretUpdate', 'POST', '/secrets/{id}/update', 'Changes a secret.', 25],
  ['ConfigList', 'GET', '/configs', 'Lists configs.', 30],
  ['ConfigCreate', 'POST', '/configs/create', 'Makes a config.', 30],
  ['ConfigInspect', 'GET', '/configs/{id}', 'One config.', 30],
  ['ConfigDelete', 'DELETE', '/configs/{id}', 'Removes a config.', 30],
  ['ConfigUpdate', 'POST', '/configs/{id}/update', 'Changes a config.', 30],
];

const LOGS: readonly Row[] = [
  ['ServiceLogs', 'GET', '/services/{id}/logs', 'Output of a service.'],
  ['TaskLogs', 'GET', '/tasks/{id}/logs', 'Output of a task.'],
];

/**
 * An engine without swarm mode is a node outside of any swarm: it answers as docker does there. Only what would begin one
 * is refused in words of our own. Source: docker's daemon/cluster and daemon/server/router/swarm.
 */
export function swarmRoutes(): Route[] {
  const logs = { stdout: flag, stderr: flag };
  return [
    ...OF_MANAGERS.map((row) => refused(row, notSwarmManager)),
    ...LOGS.map((row) =>
      refused(
        row,
        ({ stdout, stderr }: { stdout: boolean; stderr: boolean }) =>
          stdout || stderr ? notSwarmManager() : noLogStream(),
        logs,
      ),
    ),
    refused(['SwarmLeave', 'POST', '/swarm/leave', 'Leaves the swarm.'], inNoSwarm),
    refused(['SwarmInit', 'POST', '/swarm/init', 'Begins a swarm.'], noSwarmMode),
    refused(['SwarmJoin', 'POST', '/swarm/join', 'Joins a swarm.'], noSwarmMode),
    refused(['VolumeUpdate', 'PUT', '/volumes/{name}', 'Changes a cluster volume.', 42], noClusterVolumes),
  ];
}

function refused<Query>(
  [name, method, path, summary, since]: Row,
  why: (query: Query) => GantryError,
  params: Params = {},
): Route {
  return route({
    name,
    method,
    path,
    summary,
    ...(since === undefined ? {} : { since }),
    refused: NO_SWARM,
    params,
    // Whatever the client sends is left unread.
    streamBody: method === 'POST' || method === 'PUT',
    handle: ({ query }: Call<object, undefined>) => {
      throw why(query as Query);
    },
  });
}
