import type { ErrorCode } from '#base';

/** The one table from error codes to HTTP. Source: docker's daemon/server/httpstatus. */
export const HTTP_STATUS = {
  invalid_argument: 400,
  not_found: 404,
  conflict: 409,
  not_modified: 304,
  unauthorized: 401,
  forbidden: 403,
  unavailable: 503,
  not_implemented: 501,
  canceled: 500,
  deadline_exceeded: 500,
  data_loss: 500,
  internal: 500,
  unknown: 500,
} as const satisfies Record<ErrorCode, number>;
