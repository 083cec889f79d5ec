import type { CommandEntry } from '../core/entry.ts';

/** Commands of `system`, and those about any object. */
export const SYSTEM_COMMANDS: readonly CommandEntry[] = [
  {
    path: 'version',
    summary: 'Show the versions of client and engine',
    common: true,
    load: () => import('./version.ts'),
  },
  {
    path: 'system info',
    topLevel: ['info'],
    summary: 'Show how the engine is set up and what it holds',
    common: true,
    load: () => import('./info.ts'),
  },
  {
    path: 'inspect',
    summary: 'Show everything about containers, images, networks and volumes',
    load: () => import('./inspect.ts'),
  },
  { path: 'system df', summary: 'Show disk space in use', load: () => import('./df.ts') },
  {
    path: 'system events',
    topLevel: ['events'],
    summary: 'Watch what happens in the engine',
    load: () => import('./events.ts'),
  },
  {
    path: 'system prune',
    summary: 'Remove everything that nothing uses',
    load: () => import('./prune.ts'),
  },
];
