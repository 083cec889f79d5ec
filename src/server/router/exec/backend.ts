import type { ContainerService } from '#containers';

export type ExecBackend = Pick<
  ContainerService,
  'createExec' | 'exec' | 'startExec' | 'resizeExec' | 'killExec'
>;
