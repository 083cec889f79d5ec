import { LIFE_SCENARIOS } from './life.ts';
import { LOOKING_SCENARIOS } from './looking.ts';
import type { Scenario } from './scenario.ts';

/** Every command that concerns containers, with every flag of its own. */
export const SCENARIOS: readonly Scenario[] = [...LIFE_SCENARIOS, ...LOOKING_SCENARIOS];
