import type { IdMappings } from '#oci';
import type { ContainerDefaults } from '../defaults.ts';
import { hostNetworkInUserNamespace, hostPidInUserNamespace, privilegedInUserNamespace } from '../errors.ts';
import type { HostConfig } from '../model.ts';

/**
 * The user namespace a new container gets; undefined: the host's. @throws `invalid_argument` with docker's texts for
 * what would reach around it. Source: moby `daemon/daemon_unix.go` (verifyPlatformContainerSettings).
 */
export function userNamespaceOf(
  host: Pick<HostConfig, 'usernsMode' | 'privileged' | 'networkMode' | 'pidMode'>,
  { idMappings }: Pick<ContainerDefaults, 'idMappings'>,
): IdMappings | undefined {
  if (!idMappings || host.usernsMode === 'host') return undefined;
  if (host.privileged) throw privilegedInUserNamespace();
  if (host.networkMode === 'host') throw hostNetworkInUserNamespace();
  if (host.pidMode === 'host') throw hostPidInUserNamespace();
  return idMappings;
}
