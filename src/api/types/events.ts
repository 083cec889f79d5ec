import type { StringMap } from './common.ts';

/** One line of `GET /events`. */
export interface EventMessage {
  /** API 1.51 and older, for containers and images. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: StringMap };
  readonly scope?: string;
  /** Seconds since the epoch. */
  readonly time?: number;
  /**
   * Nanoseconds since the epoch. Beyond 2^53, so the last digits are lost in a JavaScript number: read it from the
   * text when they matter.
   */
  readonly timeNano?: number;
}
