/**
 * One command that docker's CLI and ours must answer alike. In `line`: {running}, {stopped}, {paused}, {created} name
 * the file's containers, {new} is a name of its own, one for each client, and {dir} a directory.
 */
export interface Row {
  readonly line: string;
  /** Run by ours before, one after the other; for each client anew. */
  readonly before?: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export type Rows = readonly (string | Row)[];
