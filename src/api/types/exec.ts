/** Body of `POST /containers/{id}/exec`. */
export interface ExecCreateRequest {
  readonly User?: string | null | undefined;
  readonly Privileged?: boolean | null | undefined;
  readonly Tty?: boolean | null | undefined;
  /** Rows, columns. */
  readonly ConsoleSize?: readonly number[] | null | undefined;
  readonly AttachStdin?: boolean | null | undefined;
  readonly AttachStderr?: boolean | null | undefined;
  readonly AttachStdout?: boolean | null | undefined;
  readonly DetachKeys?: string | null | undefined;
  readonly Env?: readonly string[] | null | undefined;
  readonly WorkingDir?: string | null | undefined;
  readonly Cmd?: readonly string[] | null | undefined;
}

/** Body of `POST /exec/{id}/start`. */
export interface ExecStartRequest {
  readonly Detach?: boolean | null | undefined;
  readonly Tty?: boolean | null | undefined;
  readonly ConsoleSize?: readonly number[] | null | undefined;
}

export interface ExecInspectResponse {
  readonly ID: string;
  readonly Running: boolean;
  /** Null while it has not ended. */
  readonly ExitCode: number | null;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged?: boolean;
    readonly user?: string;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  /** Base64 of the bytes. */
  readonly DetachKeys: string;
  readonly Pid: number;
}
