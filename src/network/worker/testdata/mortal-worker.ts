import { invalidArgument } from '#base';
import { type Call, packError, type Reply, type WorkerSetup } from '../protocol.ts';

/* A Worker that answers one call, fails one with each kind of error, and dies of another. */
declare const self: Worker;

const post = (reply: Reply): void => self.postMessage(reply);

const ANSWERS: Record<string, (id: number) => void> = {
  pinnedNamespaces: (id) => post({ id, ok: true, value: ['alive'] }),
  applyRules: (id) =>
    post({ id, ok: false, error: packError(Object.assign(new Error('no table'), { code: 'ENOENT', errno: -2 })) }),
  ensureBridge: (id) => post({ id, ok: false, error: packError(invalidArgument('not a bridge')) }),
  watchRules: (id) => {
    post({ id, ok: true, value: undefined });
    post({ event: 'onRulesDamaged' });
    post({ event: 'onWatchLost', reason: 'EMFILE' });
  },
  close: (id) => post({ id, ok: true, value: undefined }),
  removeSandbox: () => process.exit(1),
  hostFacts: () => {
    throw new Error('uncaught');
  },
  closePorts: () => void Promise.reject(new Error('unhandled')),
};

self.onmessage = (event: MessageEvent<WorkerSetup | Call>) => {
  if ('method' in event.data) ANSWERS[event.data.method]?.(event.data.id);
};
