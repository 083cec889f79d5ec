export { CONTAINER_DEFAULTS, type ContainerDefaults } from './defaults.ts';
export { CDI_SPEC_DIRS, CdiRegistry } from './devices/cdi-registry.ts';
export type { ContainerHost } from './engine.ts';
export { LOG_DRIVER_NAMES } from './log-drivers/index.ts';
export type * from './model.ts';
export { type ContainerServiceOptions, createContainerService } from './service.ts';
export { exitCodeOf, finishedAtOf, isAlive, NEVER, startedAtOf } from './state.ts';
export type { BlkioEntry, ContainerSample, ContainerStats, CpuStats } from './stats/index.ts';
export type * from './types.ts';
