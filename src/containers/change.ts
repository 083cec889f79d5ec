import type { Task } from '#runtime';
import { applyBlockWeights } from './block-weights.ts';
import { withinShares } from './create/adapt.ts';
import { checkRestartPolicy } from './create/check-host-config.ts';
import { checkResources } from './create/check-resources.ts';
import { discardLimits } from './create/discard-limits.ts';
import type { Engine } from './engine.ts';
import { cannotRename, cannotUpdate, emptyName, invalidName, markedForRemoval, sameName } from './errors.ts';
import type { Container, Resources, RestartPolicy } from './model.ts';
import { isName } from './names.ts';
import { cgroupPathOf } from './paths.ts';
import type { NameReservation } from './registry.ts';
import { writeBlockThrottles } from './spec/block-throttles.ts';
import { ownsBlockWeights } from './spec/block-weights.ts';
import { specResources } from './spec/resources.ts';
import { isAlive } from './state.ts';

export interface UpdateRequest {
  readonly resources: Partial<Resources>;
  readonly restartPolicy?: RestartPolicy;
}

/** Changes an existing container: its name, limits and restart policy. */
export class Changer {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws `conflict` for a taken name, `invalid_argument` with docker's texts. */
  async rename(ref: string, newName: string): Promise<void> {
    const { registry, locks, events } = this.#engine;
    const { id } = registry.resolve(ref);
    const name = checkNewName(newName);
    await locks.run(id, () => {
      const container = registry.resolve(id);
      if (container.name === name) throw sameName();
      using reservation = reserve(registry, name, container.id);
      const renamed = { ...container, name };
      registry.save(renamed);
      reservation.keep();
      events.publish(renamed, 'rename', { oldName: `/${container.name}` });
    });
  }

  /** Limits take effect at once when it runs. @throws `invalid_argument`, `conflict`. */
  async update(ref: string, { resources, restartPolicy }: UpdateRequest): Promise<{ warnings: string[] }> {
    const { registry, locks, events, host, instances } = this.#engine;
    const { id } = registry.resolve(ref);
    return await locks.run(id, async () => {
      const container = registry.resolve(id);
      if (container.state.status === 'removing' || container.state.status === 'dead') {
        throw markedForRemoval();
      }
      const policy = restartPolicy ? checkedPolicy(container, restartPolicy) : undefined;
      const { value: given, warnings } = this.#givenLimits(container, resources);
      checkResources({ ...withoutLimits(container.hostConfig), ...given }, host.resources, {
        isUpdate: true,
      });
      const reason = updateConflict(container.hostConfig, given);
      if (reason) throw cannotUpdate(container.id, reason);
      const hostConfig = {
        ...container.hostConfig,
        ...given,
        ...(policy ? { restartPolicy: policy } : {}),
      };
      checkResources(hostConfig, host.resources, { isUpdate: true });
      const task = instances.peek(id)?.task;
      if (task && isAlive(container.state)) await this.#apply({ ...container, hostConfig }, given, task);
      // Read again: a stop may have marked the container meanwhile.
      const updated = { ...(registry.byId(id) ?? container), hostConfig };
      registry.save(updated);
      events.publish(updated, 'update');
      return { warnings: [...warnings] };
    });
  }

  /** What the update names and this machine has. */
  #givenLimits({ hostConfig }: Container, resources: Partial<Resources>) {
    const given = givenLimits(resources);
    const discarded = discardLimits({ ...withoutLimits(hostConfig), ...given }, this.#engine.host.resources);
    const named = Object.entries(discarded.value).filter(([name]) => Object.hasOwn(given, name));
    return { ...discarded, value: givenLimits(Object.fromEntries(named)) };
  }

  async #apply(container: Container, given: Partial<Resources>, task: Task): Promise<void> {
    const { sys, defaults, companions } = this.#engine;
    const withoutWeights = ownsBlockWeights(sys.cgroups);
    await task.update(specResources(container.hostConfig, { withoutWeights }));
    applyBlockWeights(this.#engine, container);
    const throttles = { ...withoutLimits(container.hostConfig), ...given };
    writeBlockThrottles(sys.cgroups, cgroupPathOf(container, defaults), throttles);
    companions.update(container, task);
  }
}

/** Docker names the new name with its slash here. */
function checkNewName(given: string): string {
  const name = given.replace(/^\//, '');
  if (name === '') throw emptyName();
  if (!isName(name)) throw cannotRename(invalidName(`/${name}`));
  return name;
}

function reserve(registry: Engine['registry'], name: string, id: Container['id']): NameReservation {
  try {
    return registry.reserveName(name, id);
  } catch (error) {
    throw cannotRename(error);
  }
}

function checkedPolicy({ id, hostConfig }: Container, policy: RestartPolicy): RestartPolicy {
  checkRestartPolicy(policy);
  if (hostConfig.autoRemove && policy.name !== 'no') {
    throw cannotUpdate(
      id,
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    );
  }
  return policy;
}

/** What a container keeps for as long as it exists; in an update these have no effect. */
const LASTING: readonly string[] = [
  'cgroupParent',
  'devices',
  'deviceCgroupRules',
  'deviceRequests',
  'ulimits',
] satisfies (keyof Resources)[];

/** What is 0, empty or undefined in an update was not given and stays. Source: moby `container/container_unix.go`. */
function givenLimits(resources: Partial<Resources>): Partial<Resources> {
  const { pidsLimit, memorySwap, cpuShares } = resources;
  const given = {
    ...resources,
    ...(cpuShares === undefined ? {} : { cpuShares: withinShares(cpuShares) }),
    ...(memorySwap === undefined ? {} : { memorySwap: Math.max(memorySwap, -1) }),
    ...(pidsLimit === undefined ? {} : { pidsLimit: Math.max(pidsLimit, 0) }),
  };
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => {
      if (LASTING.includes(name)) return false;
      // Zero takes this limit away.
      if (name === 'pidsLimit') return value !== undefined;
      if (Array.isArray(value)) return value.length > 0;
      return value !== 0 && value !== '' && value !== undefined;
    }),
  ) as Partial<Resources>;
}

/** With nothing set, so that what an update says can be checked by itself. */
function withoutLimits(resources: Resources): Resources {
  const zeros = Object.entries(resources).map(([name, value]) => [name, zeroOf(value)] as const);
  return Object.fromEntries(zeros) as unknown as Resources;
}

function zeroOf(value: unknown): unknown {
  if (typeof value === 'number') return 0;
  if (typeof value === 'string') return '';
  return Array.isArray(value) ? [] : undefined;
}

/** Why the limits cannot be combined with those in force; docker's words. */
function updateConflict(now: Resources, given: Partial<Resources>): string | undefined {
  const { nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0, memory = 0, memorySwap = 0 } = given;
  if (nanoCpus > 0 && now.cpuPeriod > 0) {
    return 'Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set';
  }
  if (nanoCpus > 0 && now.cpuQuota > 0) {
    return 'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set';
  }
  if (cpuPeriod > 0 && now.nanoCpus > 0) {
    return 'Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set';
  }
  if (cpuQuota > 0 && now.nanoCpus > 0) {
    return 'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set';
  }
  if (memory > now.memorySwap && memorySwap === 0) {
    return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
  }
  return undefined;
}
