import { ERROR_CODES, type ErrorCode, GantryError, internal } from '#base';
import type { ApplyJob, ApplyResult } from './apply-archive.ts';

/** From the pool to a Worker. */
export interface ApplyRequest {
  readonly id: number;
  readonly job: ApplyJob;
  /** One 32-bit flag; the Worker stops when it becomes 1. Shared, because the Worker's loop reads no messages. */
  readonly cancel: SharedArrayBuffer;
}

/** From a Worker to the pool. Errors travel as data: classes do not survive the crossing. */
export type ApplyReply =
  | { readonly id: number; readonly result: ApplyResult }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

export function failureReply(id: number, error: unknown): ApplyReply {
  if (error instanceof GantryError) return { id, code: error.code, message: error.message };
  return { id, code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

export function replyError(reply: { readonly code: ErrorCode; readonly message: string }): GantryError {
  return ERROR_CODES.includes(reply.code)
    ? new GantryError(reply.code, reply.message)
    : internal(reply.message);
}
