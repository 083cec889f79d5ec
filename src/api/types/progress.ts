/** One message of the progress streams (load, import, pull, push, build). One JSON object a line. */
export interface JSONMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly progressDetail?: ProgressDetail;
  /** Text form of `progressDetail`, for clients without a terminal. */
  readonly progress?: string;
  readonly id?: string;
  readonly error?: string;
  readonly errorDetail?: ErrorDetail;
  readonly aux?: unknown;
}

export interface ProgressDetail {
  readonly current?: number;
  readonly total?: number;
  readonly units?: string;
}

export interface ErrorDetail {
  readonly code?: number;
  readonly message: string;
}
