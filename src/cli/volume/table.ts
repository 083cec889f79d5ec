import type { CommandEntry } from '../core/entry.ts';

/** Commands of `volume`. */
export const VOLUME_COMMANDS: readonly CommandEntry[] = [
  { path: 'volume create', summary: 'Create a volume', load: () => import('./create.ts') },
  { path: 'volume inspect', summary: 'Show everything about volumes', load: () => import('./inspect.ts') },
  { path: 'volume ls', aliases: ['list'], summary: 'List volumes', load: () => import('./ls.ts') },
  {
    path: 'volume prune',
    summary: 'Remove volumes that no container uses',
    load: () => import('./prune.ts'),
  },
  { path: 'volume rm', aliases: ['remove'], summary: 'Remove volumes', load: () => import('./rm.ts') },
];
