import type { AppArmorHost } from '#runtime';

/**
 * The AppArmor profile of a container's processes; undefined: none is set. Where the host has no AppArmor the option is
 * accepted and has no effect. Source: moby `daemon/apparmor_linux.go`, `daemon/oci_linux.go` (WithApparmor).
 */
export function appArmorProfile(
  container: { readonly chosen: string | undefined; readonly isPrivileged: boolean },
  host: Pick<AppArmorHost, 'isEnabled' | 'defaultProfile'>,
): string | undefined {
  if (!host.isEnabled) return undefined;
  if (container.chosen) return container.chosen;
  return container.isPrivileged ? 'unconfined' : host.defaultProfile;
}
