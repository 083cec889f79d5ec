import type { Step } from './conversation.ts';
import { create, del, filtered, get, post, V } from './scenario.ts';

const NAME = 'gantry-events';
const at = (name: string) => `${V}/containers/create?name=${name}`;
const LABELS = { z: '1', a: '2' };
const archive = (method: string, path: string, raw?: string): Step => ({
  name: `${method} ${path}`,
  method,
  path: `${V}/containers/${NAME}/archive?path=${path}`,
  ...(raw === undefined ? {} : { raw }),
});
const quiet = (step: Step): Step => ({ ...step, shape: true });

/** What has happened so far, of containers by that name (or other things). */
const told = (name: string, filters: object): Step =>
  get(`told: ${name}`, filtered('/events?since={begin}&until={soon}', filters));

/** Everything that a container can do, with the events it makes. */
export const EVENTS: readonly Step[] = [
  create(
    'create',
    {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.1; done'],
      Labels: LABELS,
      Volumes: { '/v': {} },
      OpenStdin: true,
      Tty: true,
    },
    { path: at(NAME), keep: { field: 'Id', as: 'one' } },
  ),
  told('create', { type: ['container'] }),
  post('start', '/containers/{one}/start'),
  post('resize', '/containers/{one}/resize?h=10&w=20'),
  quiet(get('top', '/containers/{one}/top')),
  archive('HEAD', '/bin'),
  quiet(archive('GET', '/etc/passwd')),
  archive('PUT', '/tmp', '\0'.repeat(1024)),
  post('exec', '/containers/{one}/exec', {
    json: { Cmd: ['sh', '-c', 'exit 4'], AttachStdout: true },
    keep: { field: 'Id', as: 'exec' },
  }),
  quiet(post('start exec', '/exec/{exec}/start', { json: { Detach: false } })),
  told('exec', { container: [NAME], event: ['exec_create', 'exec_start'] }),
  told('exec_die', { container: [NAME], event: ['exec_die'] }),
  post('pause', '/containers/{one}/pause'),
  post('unpause', '/containers/{one}/unpause'),
  post('rename', `/containers/{one}/rename?name=${NAME}-renamed`),
  post('rename back', `/containers/{one}/rename?name=${NAME}`),
  post('update', '/containers/{one}/update', { json: { Memory: 70000000, MemorySwap: 140000000 } }),
  post('commit', '/commit?container={one}&repo=gantry-events&tag=x&comment=c', {
    keep: { field: 'Id', as: 'image' },
  }),
  post('kill softly', '/containers/{one}/kill?signal=WINCH'),
  post('stop', '/containers/{one}/stop'),
  post('start again', '/containers/{one}/start'),
  get('time for the trap', filtered('/events?since={soon}&until={later}', { type: ['daemon'] })),
  post('restart', '/containers/{one}/restart?t=9'),
  post('kill', '/containers/{one}/kill'),
  post('wait', '/containers/{one}/wait'),
  told('a life', { type: ['container'], container: [NAME] }),
  told('the network', { type: ['network'] }),
  told('by label', { label: ['a=2', 'z'], event: ['rename'] }),
  told('by another label', { label: ['a=3'] }),
  told('by image', { image: ['busybox'], event: ['die'] }),
  told('by another image', { image: ['nope'] }),
  told('by ID', { container: ['{one}'], event: ['kill'] }),
  told('by scope', { scope: ['swarm'] }),
  told('by a type that is none', { type: ['nope'] }),
  get('nothing of the future', '/events?since={later}&until={later}'),
  {
    name: 'told to 1.24',
    method: 'GET',
    path: filtered('/v1.24/events?since={begin}&until={soon}', { event: ['pause'] }),
  },
  create(
    'create one without memory',
    {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'tail /dev/zero'],
      HostConfig: { Memory: 8000000, MemorySwap: 8000000, NetworkMode: 'none' },
    },
    { path: at(`${NAME}-oom`), keep: { field: 'Id', as: 'oom' } },
  ),
  post('start it', '/containers/{oom}/start'),
  post('wait for it', '/containers/{oom}/wait'),
  told('out of memory', { container: [`${NAME}-oom`] }),
  create(
    'create one with a health check',
    {
      Image: 'busybox',
      Cmd: ['sleep', '60'],
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 },
      HostConfig: { NetworkMode: 'none', AutoRemove: true },
    },
    { path: at(`${NAME}-health`), keep: { field: 'Id', as: 'health' } },
  ),
  post('start the healthy one', '/containers/{health}/start'),
  get('four seconds', filtered('/events?since={soon}&until={later}', { type: ['daemon'] })),
  told('health', { container: [`${NAME}-health`], event: ['health_status'] }),
  post('kill the healthy one', '/containers/{health}/kill'),
  get('its end', filtered('/events?since={soon}&until={later}', { type: ['daemon'] })),
  told('removed by itself', { container: [`${NAME}-health`], event: ['die', 'destroy', 'kill'] }),
  create(
    'create one that cannot start',
    { Image: 'busybox', Cmd: ['nope'], HostConfig: { NetworkMode: 'none' } },
    {
      path: at(`${NAME}-fails`),
      keep: { field: 'Id', as: 'fails' },
    },
  ),
  post('start what cannot', '/containers/{fails}/start'),
  told('failed', { container: [`${NAME}-fails`] }),
  del('remove with volumes', '/containers/{one}?v=1'),
  del('remove the other', '/containers/{oom}'),
  post('prune', '/containers/prune'),
  told('prune', { type: ['container'], event: ['prune', 'destroy'] }),
  told('volumes', { type: ['volume'], event: ['create', 'mount', 'destroy'] }),
  told('volumes that are given back', { type: ['volume'], event: ['unmount'] }),
  post('tag', '/images/busybox/tag?repo=gantry-events&tag=y'),
  del('untag', '/images/gantry-events:y'),
  quiet(del('delete', '/images/gantry-events:x')),
  told('images', { type: ['image'], event: ['tag', 'untag', 'delete'], label: ['a'] }),
  post('create a volume', '/volumes/create', { json: { Name: 'gantry-events-volume', Labels: LABELS } }),
  del('remove the volume', '/volumes/gantry-events-volume'),
  told('the volume', { volume: ['gantry-events-volume'] }),
];
