import { ERROR_CODES, type ErrorCode, errorMessage, GantryError } from '#base';
import type { NetworkKernel } from '../kernel.ts';

/** Methods that cross the thread border: all of the kernel's. Arguments are plain data. */
export type KernelMethod = keyof NetworkKernel;

/** First message to the Worker. */
export interface WorkerSetup {
  readonly maxHeldPorts: number | undefined;
}

export interface Call {
  readonly id: number;
  readonly method: KernelMethod;
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError }
  | { readonly event: 'onRulesDamaged' }
  | { readonly event: 'onWatchLost'; readonly reason: string };

/** An error as it crosses: structured clone would lose `code` and `errno`. */
export interface WireError {
  readonly message: string;
  /** Set for a GantryError. */
  readonly gantryCode: ErrorCode | undefined;
  /** `EEXIST` and so on. */
  readonly code: string | undefined;
  readonly errno: number | undefined;
}

export function packError(error: unknown): WireError {
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  return {
    message: firstLine(errorMessage(error)),
    gantryCode: error instanceof GantryError ? error.code : undefined,
    code: typeof fields['code'] === 'string' ? fields['code'] : undefined,
    errno: typeof fields['errno'] === 'number' ? fields['errno'] : undefined,
  };
}

const MAX_MESSAGE = 500;

// nft repeats the whole transaction after its message, which for a table of ports is megabytes.
const firstLine = (message: string): string => (message.split('\n', 1)[0] ?? '').slice(0, MAX_MESSAGE);

export function unpackError(wire: WireError): Error {
  const code = ERROR_CODES.find((known) => known === wire.gantryCode);
  if (code) return new GantryError(code, wire.message);
  return Object.assign(new Error(wire.message), { code: wire.code, errno: wire.errno });
}
