import { invalidArgument } from '#base';
import { checkRestartPolicy } from './create/check-host-config.ts';
import { checkResources } from './create/check-resources.ts';
import type { Engine } from './engine.ts';
import { markedForRemoval, sameName } from './errors.ts';
import type { Container, Resources, RestartPolicy } from './model.ts';
import { checkName } from './names.ts';
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
    const name = checkName(newName);
    await locks.run(id, () => {
      const container = registry.resolve(id);
      if (container.name === name) throw sameName();
      using reservation = registry.reserveName(name, container.id);
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
      const hostConfig = {
        ...container.hostConfig,
        ...givenLimits(container, resources),
        ...(policy ? { restartPolicy: policy } : {}),
      };
      checkResources(hostConfig, host.resources, { isUpdate: true });
      const task = instances.peek(id)?.task;
      if (task && isAlive(container.state)) await task.update(specResources(hostConfig));
      const updated = { ...(registry.byId(id) ?? container), hostConfig };
      registry.save(updated);
      events.publish(updated, 'update');
      return { warnings: [] };
    });
  }
}

function checkedPolicy({ hostConfig }: Container, policy: RestartPolicy): RestartPolicy {
  checkRestartPolicy(policy);
  if (hostConfig.autoRemove && policy.name !== 'no') {
    throw invalidArgument('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  return policy;
}

/** What is 0, empty or undefined in an update was not given and stays. Source: moby `container/container_unix.go`. */
function givenLimits({ hostConfig }: Container, resources: Partial<Resources>): Partial<Resources> {
  const given = Object.fromEntries(
    Object.entries(resources).filter(([, value]) => {
      if (Array.isArray(value)) return value.length > 0;
      return value !== 0 && value !== '' && value !== undefined;
    }),
  ) as Partial<Resources>;
  const memory = given.memory ?? hostConfig.memory;
  const swap = given.memorySwap ?? hostConfig.memorySwap;
  if (given.memory !== undefined && memory > 0 && swap > 0 && swap < memory) {
    throw invalidArgument(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  return given;
}
