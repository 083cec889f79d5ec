import type { CommandEntry } from '../core/entry.ts';

/** Commands around completion in shells. */
export const COMPLETION_COMMANDS: readonly CommandEntry[] = [
  {
    path: 'completion',
    isLocal: true,
    summary: 'Write the completion script of a shell',
    load: () => import('./completion.ts'),
  },
  {
    path: '__complete',
    hidden: true,
    isLocal: true,
    summary: 'List what the last word can become; for completion scripts',
    load: () => import('./complete.ts'),
  },
];
