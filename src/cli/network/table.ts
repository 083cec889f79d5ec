import type { CommandEntry } from '../core/entry.ts';

/** Commands of `network`. */
export const NETWORK_COMMANDS: readonly CommandEntry[] = [
  { path: 'network inspect', summary: 'Show everything about networks', load: () => import('./inspect.ts') },
  { path: 'network ls', aliases: ['list'], summary: 'List networks', load: () => import('./ls.ts') },
];
