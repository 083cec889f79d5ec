export { buildHosts, extraHostLines, type HostsEntry, type HostsOptions } from './hosts-file.ts';
export type { KernelEvents, NetworkKernel } from './kernel.ts';
export { DEFAULT_BRIDGE, type DefaultBridgeOptions, type NetworkServiceOptions } from './options.ts';
export { buildResolvConf, type ResolvConfOptions, resolvConfSource } from './resolv-conf.ts';
export { createNetworkService } from './service.ts';
export { type AddressPoolOption, DEFAULT_ADDRESS_POOLS } from './subnet-choice.ts';
export type * from './types.ts';
export { NETWORK_WORKER_ENTRY } from './worker/client.ts';
