import { errorMessage } from '#base';
import type { Seccomp } from '#oci';
import { compileSeccomp } from './compile.ts';

/** Worker entry: one message in (an OCI filter), one out. Must be an entry point of the built program. */
declare const self: {
  onmessage: (event: { readonly data: Seccomp }) => void;
  postMessage(answer: CompileAnswer): void;
};

export type CompileAnswer = { readonly bpf: Uint8Array } | { readonly error: string };

self.onmessage = ({ data }) => {
  try {
    self.postMessage({ bpf: compileSeccomp(data) });
  } catch (error) {
    self.postMessage({ error: errorMessage(error) });
  }
};
