import { CString, dlopen, type Pointer } from 'bun:ffi';
import { cString } from '../path-bytes.ts';
import type { Nftables } from '../types.ts';
import { nftError, parseListing } from './command.ts';

const OUTPUT_TEXT = 0;
/** NFT_CTX_OUTPUT_JSON of nftables/libnftables.h. */
const OUTPUT_JSON = 1 << 4;

const load = () =>
  dlopen('libnftables.so.1', {
    nft_ctx_new: { args: ['u32'], returns: 'ptr' },
    nft_ctx_free: { args: ['ptr'], returns: 'void' },
    nft_ctx_buffer_output: { args: ['ptr'], returns: 'i32' },
    nft_ctx_buffer_error: { args: ['ptr'], returns: 'i32' },
    nft_ctx_get_output_buffer: { args: ['ptr'], returns: 'ptr' },
    nft_ctx_get_error_buffer: { args: ['ptr'], returns: 'ptr' },
    nft_ctx_output_set_flags: { args: ['ptr', 'u32'], returns: 'void' },
    nft_run_cmd_from_buffer: { args: ['ptr', 'ptr'], returns: 'i32' },
  }).symbols;

type Library = ReturnType<typeof load>;

let library: Library | null | undefined;

/** libnftables, or undefined where it is not installed. */
function nftablesLibrary(): Library | undefined {
  if (library === undefined) {
    try {
      library = load();
    } catch {
      library = null;
    }
  }
  return library ?? undefined;
}

/** A context of libnftables in the calling thread's network namespace; undefined without the library. */
export function openLibraryNftables(): Nftables | undefined {
  const nft = nftablesLibrary();
  const context = nft?.nft_ctx_new(0);
  if (nft === undefined || typeof context !== 'number') return undefined;
  nft.nft_ctx_buffer_output(context);
  nft.nft_ctx_buffer_error(context);
  return new LibraryNftables(nft, context);
}

class LibraryNftables implements Nftables {
  readonly #nft: Library;
  #context: Pointer | undefined;

  constructor(nft: Library, context: Pointer) {
    this.#nft = nft;
    this.#context = context;
  }

  run(commands: string): void {
    this.#execute(commands, OUTPUT_TEXT);
  }

  query(command: string): readonly Record<string, unknown>[] {
    return parseListing(this.#execute(command, OUTPUT_JSON));
  }

  [Symbol.dispose](): void {
    if (this.#context !== undefined) this.#nft.nft_ctx_free(this.#context);
    this.#context = undefined;
  }

  #execute(commands: string, flags: number): string {
    const context = this.#context;
    if (context === undefined) throw new Error('the nftables context is closed');
    this.#nft.nft_ctx_output_set_flags(context, flags);
    const failed = this.#nft.nft_run_cmd_from_buffer(context, cString(commands, 'nft').bytes) !== 0;
    // Both buffers are taken, because reading is what empties them.
    const output = textAt(this.#nft.nft_ctx_get_output_buffer(context));
    const problem = textAt(this.#nft.nft_ctx_get_error_buffer(context));
    if (failed) throw nftError(problem);
    return output;
  }
}

function textAt(address: unknown): string {
  return typeof address === 'number' ? new CString(address as Pointer).toString() : '';
}
