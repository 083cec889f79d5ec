export { formatBinaryBytes, formatBytes, formatDurationNs, parseBytes, parseDurationNs } from '#base';
export {
  containerCreateRequest,
  containerUpdateRequest,
  execCreateRequest,
  execStartRequest,
} from './decode/container.ts';
export { networkConnectRequest, networkCreateRequest, networkDisconnectRequest } from './decode/network.ts';
export { authConfig, type PlatformRequest, platformRequest, volumeCreateRequest } from './decode/system.ts';
export { DEFAULT_HOST } from './default-host.ts';
export { invalidFilter } from './errors.ts';
export {
  addFilterFlag,
  booleanFilter,
  encodeFilters,
  type Filters,
  matchesLabels,
  parseFilters,
  requireFilterKeys,
} from './filters.ts';
export { type Decoder, decodeJson } from './json/decoder.ts';
export { type PortSpec, parsePortKey, parsePortSpec, portMaps, tryParsePortRange } from './ports.ts';
export {
  type DiskUsage,
  type DriverData,
  type ErrorResponse,
  type IDResponse,
  type OCIDescriptor,
  type OCIPlatform,
  type StringMap,
  type WireSet,
  ZERO_TIME,
} from './types/common.ts';
export type * from './types/container.ts';
export type * from './types/events.ts';
export type * from './types/exec.ts';
export type * from './types/host-config.ts';
export type * from './types/image.ts';
export type * from './types/network.ts';
export type * from './types/progress.ts';
export type * from './types/stats.ts';
export type * from './types/system.ts';
export type * from './types/volume.ts';
export {
  type ApiVersion,
  formatApiVersion,
  MAX_API_VERSION,
  MIN_API_VERSION,
  negotiateApiVersion,
  STREAM_TYPE,
  tryParseApiVersion,
} from './version.ts';
