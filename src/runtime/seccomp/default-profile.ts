import type { SeccompProfile } from './profile.ts';

/**
 * What every container may call: nothing here reaches beyond the container's own namespaces and files.
 * Source of the set: the rules docker documents for its default profile ("Seccomp security profiles for Docker").
 */
const ALWAYS: readonly string[] = [
  // Sockets.
  `
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
    recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
  `,
  // Names, directories and attributes.
  `
    access cachestat chdir chmod chown chown32 creat faccessat faccessat2 fchdir fchmod fchmodat
    fchmodat2 fchown fchown32 fchownat fstat fstat64 fstatat64 fstatfs fstatfs64 futimesat getcwd
    getdents getdents64 lchown lchown32 link linkat listmount lstat lstat64 mkdir mkdirat mknod mknodat
    name_to_handle_at newfstatat open openat openat2 readlink readlinkat rename renameat renameat2 rmdir
    stat stat64 statfs statfs64 statmount statx symlink symlinkat unlink unlinkat utime utimensat
    utimensat_time64 utimes
  `,
  // Clocks and timers.
  `
    adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer
    time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
    times
  `,
  // Memory.
  `
    brk madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
    mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
    process_mrelease remap_file_pages
  `,
  // Users, groups and capabilities.
  `
    capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid
    getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid
    setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32
    setreuid setreuid32 setuid setuid32 umask
  `,
  // Descriptors.
  `
    close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl pipe pipe2
  `,
  // Reading, writing and moving file data.
  `
    _llseek copy_file_range fadvise64 fadvise64_64 fallocate fdatasync fsync ftruncate ftruncate64 lseek
    pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile sendfile64 splice
    sync sync_file_range syncfs tee truncate truncate64 vmsplice write writev
  `,
  // Asynchronous and multiplexed input and output.
  `
    _newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
    epoll_wait_old eventfd eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup
    io_submit poll ppoll ppoll_time64 pselect6 pselect6_time64 select
  `,
  // Processes and threads.
  `
    execve execveat exit exit_group fork get_thread_area getpgid getpgrp getpid getppid getrandom getsid
    gettid landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open prctl
    riscv_hwprobe seccomp set_thread_area set_tid_address setpgid setsid sysinfo uname uretprobe vfork
    wait4 waitid waitpid
  `,
  // Extended attributes.
  `
    fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat
    llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat
  `,
  // Futexes.
  `
    futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list set_robust_list
  `,
  // Scheduling and resource limits.
  `
    getcpu getpriority getrlimit getrusage ioprio_get ioprio_set membarrier prlimit64 rseq
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
    sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
    sched_setattr sched_setparam sched_setscheduler sched_yield setpriority setrlimit ugetrlimit
  `,
  // Message queues, semaphores and shared memory (System V and POSIX).
  `
    ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
    mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop
    semtimedop_time64 shmat shmctl shmdt shmget
  `,
  // Signals.
  `
    kill pause pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
    sigaltstack signalfd signalfd4 sigprocmask sigreturn tgkill tkill
  `,
];

/** What a capability opens. `CAP_SYS_ADMIN` opens namespaces, mounts and the new mount API. */
const BY_CAPABILITY: Readonly<Record<string, string>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYSLOG: 'syslog',
  CAP_SYS_ADMIN: `
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl
    quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
  `,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
};

/** Calls that exist only on some architectures, by Go's names of them, as profiles spell it. */
const BY_ARCHITECTURE: readonly (readonly [names: string, arches: readonly string[]])[] = [
  ['arch_prctl', ['amd64', 'x32']],
  ['modify_ldt', ['amd64', 'x32', 'x86']],
  ['arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls', ['arm', 'arm64']],
  ['sync_file_range2 swapcontext', ['ppc64le']],
  ['s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr', ['s390', 's390x']],
  ['riscv_flush_icache', ['riscv64']],
];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: no new namespaces without CAP_SYS_ADMIN. */
const NAMESPACE_FLAGS = 0x7e020000;

/**
 * Personalities that change nothing dangerous: Linux, 32-bit Linux, and both with the uname of 2.6; the last value
 * only asks for the current one.
 */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

const EPERM = 1;
const ENOSYS = 38;
const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/**
 * Docker's default profile in docker's format. Calls that the profile knows and does not allow answer EPERM; calls
 * newer than all it knows answer ENOSYS (see `bpf.ts`), so that programs fall back to older ones.
 */
export function defaultProfile(): SeccompProfile {
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: EPERM,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_S390X', subArchitectures: ['SCMP_ARCH_S390'] },
      { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: [] },
    ],
    syscalls: [
      { names: ALWAYS.flatMap(words), action: ALLOW },
      // Since 4.8 a tracer cannot slip past its tracee's filter any more.
      {
        names: ['process_vm_readv', 'process_vm_writev', 'ptrace'],
        action: ALLOW,
        includes: { minKernel: '4.8' },
      },
      ...argumentRules(),
      ...BY_ARCHITECTURE.map(([names, arches]) => ({
        names: words(names),
        action: ALLOW,
        includes: { arches },
      })),
      ...Object.entries(BY_CAPABILITY).map(([capability, names]) => ({
        names: words(names),
        action: ALLOW,
        includes: { caps: [capability] },
      })),
    ],
  };
}

function argumentRules(): SeccompProfile['syscalls'] {
  const withoutAdmin = { caps: ['CAP_SYS_ADMIN'] };
  const s390 = ['s390', 's390x'];
  const socketFamily = (op: string, value: number) => ({
    names: ['socket'],
    action: ALLOW,
    args: [{ index: 0, op, value }],
  });
  const cloneFlags = (index: number) => [
    { index, op: 'SCMP_CMP_MASKED_EQ', value: NAMESPACE_FLAGS, valueTwo: 0 },
  ];
  return [
    // All families but AF_ALG (38) and AF_VSOCK (40): kernel crypto has a long record of holes, vsock reaches the host.
    socketFamily('SCMP_CMP_LT', 38),
    socketFamily('SCMP_CMP_EQ', 39),
    socketFamily('SCMP_CMP_GT', 40),
    ...PERSONALITIES.map((value) => ({
      names: ['personality'],
      action: ALLOW,
      args: [{ index: 0, op: 'SCMP_CMP_EQ', value }],
    })),
    {
      names: ['clone'],
      action: ALLOW,
      args: cloneFlags(0),
      excludes: { ...withoutAdmin, arches: s390 },
    },
    {
      names: ['clone'],
      action: ALLOW,
      args: cloneFlags(1),
      includes: { arches: s390 },
      excludes: withoutAdmin,
    },
    // Its flags lie in memory, where a filter cannot look; ENOSYS makes the C library fall back to clone.
    { names: ['clone3'], action: ERRNO, errnoRet: ENOSYS, excludes: withoutAdmin },
  ];
}
