export type { CommitRequest, WriteArchiveOptions } from './archive.ts';
export type { ResponseBody } from './body.ts';
export type {
  AttachRequest,
  ContainerClient,
  ListContainersOptions,
  LogsRequest,
  SignalOptions,
  TerminalSize,
  WaitCondition,
} from './containers.ts';
export { type Endpoint, parseEndpoint, type TlsMaterial } from './endpoint.ts';
export { createEngineClient, type EngineClient, type EngineClientOptions } from './engine-client.ts';
export { daemonMessage } from './errors.ts';
export type { ExecClient } from './exec.ts';
export type { ImageClient, ImportRequest } from './images.ts';
export type { NetworkClient } from './networks.ts';
export type { PingResult } from './requester.ts';
export type { SystemClient } from './system.ts';
export type { HijackedStream } from './transport.ts';
export { CLIENT_API_VERSION } from './version.ts';
export type { VolumeClient } from './volumes.ts';
