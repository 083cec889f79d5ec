import { formatBytes } from '#base';
import type { CliContext } from '../../core/context.ts';

const REDRAW_MS = 100;
const SAVE = '\x1b7';
const RESTORE = '\x1b8\x1b[2K';

/** Bytes of the archive that went through, shown on the terminal while they do. */
export class CopyProgress {
  readonly #ctx: CliContext;
  readonly #title: string;
  readonly #isShown: boolean;
  #bytes = 0;
  #drawnAt = 0;

  /** `title`: `Copying to container - `. */
  constructor(ctx: CliContext, title: string, options: { readonly quiet: boolean }) {
    this.#ctx = ctx;
    this.#title = title;
    this.#isShown = !options.quiet && ctx.stderr.isTerminal;
  }

  async *count(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (this.#isShown) await this.#ctx.stderr.write(SAVE);
    try {
      for await (const chunk of archive) {
        this.#bytes += chunk.length;
        if (this.#isShown) await this.#draw();
        yield chunk;
      }
    } finally {
      if (this.#isShown) await this.#ctx.stderr.write(RESTORE);
    }
  }

  async #draw(): Promise<void> {
    const now = this.#ctx.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    await this.#ctx.stderr.write(`${RESTORE}${this.#title}${this.size}`);
  }

  get size(): string {
    return formatBytes(this.#bytes, 3);
  }
}
