import type { CommandEntry } from '../core/entry.ts';

/** Commands that are not the client's: the program brings their code. */
export const DAEMON_COMMANDS: readonly CommandEntry[] = [
  { path: 'daemon', isLocal: true, summary: 'Run the engine', load: () => import('./daemon.ts') },
];
