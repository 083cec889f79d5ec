/** The profile of containers that name none: docker's name for it, which scripts and orchestrators pass on. */
export const DEFAULT_APPARMOR_PROFILE = 'docker-default';

/**
 * What a container may do under AppArmor: everything, as far as its capabilities and seccomp allow, but mounting, writing
 * to the kernel's settings in /proc and /sys, looking at the host's memory, and touching processes of others.
 * Denials cannot be taken back by what stands before them. Source: apparmor.d(5); the same ground as docker's default.
 */
export const DEFAULT_APPARMOR_TEXT = `#include <tunables/global>

profile ${DEFAULT_APPARMOR_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>

  network,
  capability,
  file,
  umount,

  # Stop and kill come from the engine, its monitor and the runtimes.
  signal (receive) peer=unconfined,
  signal (receive) peer=crun,
  signal (receive) peer=runc,
  signal (send, receive) peer=${DEFAULT_APPARMOR_PROFILE},
  ptrace (trace, read, tracedby, readby) peer=${DEFAULT_APPARMOR_PROFILE},

  deny mount,

  # Files of /proc itself, and of directories that are no process's.
  deny @{PROC}/* w,
  deny @{PROC}/{acpi,asound,bus,driver,fs,irq,scsi,tty}/** w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  # Of the settings only the limits of shared memory.
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/k[^e]** w,
  deny @{PROC}/sys/kernel/[^s]** w,
  deny @{PROC}/sys/kernel/s[^h]** w,
  deny @{PROC}/sys/kernel/sh[^m]** w,

  # Of /sys only the cgroups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;
