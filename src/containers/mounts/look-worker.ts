/** A Worker that looks at a path for whoever must not wait for it: one message in, one out, again and again. */
import { statSync } from 'node:fs';

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<string>) => {
  try {
    statSync(data);
  } catch {
    // That is an answer as well: whoever looks next gets it, too.
  }
  self.postMessage(true);
};
