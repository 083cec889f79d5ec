import { hostname } from 'node:os';
import type { Settings } from './config/settings.ts';
import { loadEngineId } from './engine-id.ts';
import type { Services } from './wire.ts';

/** Tells of a reload as dockerd does: by the settings in force now. Source: moby `daemon/reload.go`. */
export function publishReload(
  { events, metadata, runtime }: Pick<Services, 'events' | 'metadata' | 'runtime'>,
  settings: Settings,
): void {
  const attributes = {
    'authorization-plugins': '[]',
    debug: String(settings.logLevel === 'debug'),
    'default-runtime': runtime.defaultRuntime,
    'default-shm-size': String(settings.containers.shmSizeBytes),
    'insecure-registries': '[]',
    labels: JSON.stringify(settings.labels),
    'live-restore': String(settings.liveRestore),
    name: hostname(),
    'registry-mirrors': '[]',
    runtimes: Object.keys(runtime.runtimes).sort().join(' '),
    'shutdown-timeout': String(settings.shutdownTimeoutS),
  };
  events.publish({ type: 'daemon', action: 'reload', actorId: loadEngineId(metadata), attributes });
}
