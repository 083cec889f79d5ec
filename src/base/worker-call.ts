/**
 * Where `new Worker` finds a Worker's file. In the compiled program modules are merged into chunks and lose their own URLs:
 * there a path from the repository root, that of an entry point, is the one form that resolves.
 * @param entry the file from the repository root. @param file the same from `module`, the caller's `import.meta.url`.
 */
export const workerUrl = (entry: string, file: string, module: string): string =>
  module.includes('/$bunfs/') ? `./${entry}` : new URL(file, module).href;

/** The Worker's answer to one message. @throws when it fails, or ends without an answer. */
export async function askWorker<Answer>(worker: Worker, question: unknown): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onClose = () => reject(new Error('the worker ended'));
  worker.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.addEventListener('close', onClose);
  worker.postMessage(question);
  return await promise.finally(() => worker.removeEventListener('close', onClose));
}
