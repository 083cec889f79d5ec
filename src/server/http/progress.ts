import { type JSONMessage, STREAM_TYPE } from '#api';
import { errorMessage } from '#base';
import type { ImageProgress, OnProgress } from '#images';
import { type Sink, type StreamReply, stream } from './reply.ts';

/** What a long operation gets to tell the client how it goes. */
export interface ProgressWriter {
  send(message: JSONMessage): Promise<void> | void;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/**
 * A stream of JSON messages, one a line (docker ends lines with CR LF). A failure before the first message becomes an
 * HTTP status, a later one a message of its own. `inBand`: every failure is a message (as for load).
 */
export function progressReply(
  work: (progress: ProgressWriter) => Promise<void>,
  options: { readonly inBand?: boolean } = {},
): StreamReply {
  return stream(
    STREAM_TYPE.json,
    async (sink) => {
      const state = { begun: options.inBand ?? false };
      try {
        await work(progressWriter(sink, state));
      } catch (error) {
        if (!state.begun) throw error;
        const message = errorMessage(error);
        await sink.write(encodeMessage({ errorDetail: { message }, error: message }));
      }
    },
    { flush: false },
  );
}

function progressWriter(sink: Sink, state: { begun: boolean }): ProgressWriter {
  let waiting = false;
  const send = (message: JSONMessage) => {
    state.begun = true;
    return sink.write(encodeMessage(message));
  };
  return {
    send,
    signal: sink.signal,
    onProgress(progress) {
      // A slow client loses intermediate counts, never a message.
      if (waiting && progress.current !== undefined) return;
      const sent = send(toMessage(progress));
      if (!sent) return;
      waiting = true;
      void sent.then(() => (waiting = false));
    },
  };
}

const encodeMessage = (message: JSONMessage): string => `${JSON.stringify(message)}\r\n`;

function toMessage({ id, status, stream: text, current, total }: ImageProgress): JSONMessage {
  const detail = {
    ...(current === undefined ? {} : { current }),
    ...(total === undefined ? {} : { total }),
  };
  return {
    ...(text === undefined ? {} : { stream: text }),
    ...(status === undefined ? {} : { status, progressDetail: detail }),
    ...(id === undefined ? {} : { id }),
  };
}
