import type { SpecProcessInput } from '#runtime';
import type { Engine } from '../engine.ts';
import { linkVariables } from '../links/linked.ts';
import type { Container } from '../model.ts';
import { processEnv } from '../spec/env.ts';
import { specLimits } from '../spec/limits.ts';
import { resolveUser } from '../spec/users.ts';
import { containerCapabilities, processSecurity } from '../start/spec-input.ts';
import type { ExecConfig } from '../types.ts';

/** The process of an exec: the container's surroundings with the exec's own command, user, variables and directory. */
export function execProcess(engine: Engine, container: Container, exec: ExecConfig): SpecProcessInput {
  const { config, hostConfig } = container;
  const rootfs = engine.snapshotter.mount(container.id);
  const user = resolveUser(engine.sys, rootfs, exec.user || config.user, hostConfig.groupAdd);
  const { rlimits, oomScoreAdj } = specLimits(
    hostConfig.ulimits,
    engine.defaults.ulimits,
    hostConfig.oomScoreAdj,
    engine.host.limits,
  );
  return {
    args: exec.cmd,
    env: processEnv({
      tty: exec.tty,
      hostname: config.hostname,
      home: user.home,
      layers: [linkVariables(engine, container), config.env, exec.env],
    }),
    cwd: exec.workingDir || config.workingDir || '/',
    uid: user.uid,
    gid: user.gid,
    additionalGids: user.additionalGids,
    // Docker gives a privileged exec all capabilities whoever its user is; a privileged container only root.
    holdsCapabilities: exec.privileged,
    capabilities: exec.privileged ? engine.host.capabilities : containerCapabilities(engine, container),
    ...processSecurity(engine, container),
    rlimits,
    oomScoreAdj,
  };
}
