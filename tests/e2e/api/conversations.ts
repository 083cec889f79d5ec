import { join } from 'node:path';
import type { Step } from './conversation.ts';
import { EVENTS } from './events.ts';
import { LIFE } from './life.ts';
import { BODIES, LISTS, REFUSED, WIRE } from './scenario.ts';

/** Where the answers of the reference engine are kept: one file a conversation. */
export const RECORDINGS = join(import.meta.dir, 'testdata');

/** What is asked of both engines, in this order, each with an engine that has nothing but the image busybox. */
export const CONVERSATIONS: Readonly<Record<string, readonly Step[]>> = {
  wire: WIRE,
  lists: LISTS,
  bodies: BODIES,
  life: LIFE,
  events: EVENTS,
  refused: REFUSED,
};
