#!/bin/sh
# Process 1 of the test machine: the mounts, the cgroups and the security module of an ordinary host, then
# machine/script, whose status it reports on the virtual console. Who reads that ends the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
# Emulated, beside other work.
export GANTRY_TEST_SLOWNESS=10
exec </dev/hvc0 >/dev/hvc0 2>&1
cd /gantry

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o mode=620,ptmxmode=666,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs -o mode=755 tmpfs /run
ln -sf /proc/self/fd /dev/fd
for name in stdin:0 stdout:1 stderr:2; do ln -sf "/proc/self/fd/${name#*:}" "/dev/${name%:*}"; done
mount --make-rshared /

mkdir -p "/lib/modules"
mount --bind machine/modules /lib/modules
[ ! -e machine/docker ] || cp machine/docker /usr/local/bin/docker
# The index beside them is busybox's; modprobe wants its own.
depmod
for module in overlay loop bridge veth nf_tables nft_chain_nat nf_nat erofs bfq; do modprobe -q "$module"; done
hostname gantry-vm
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 gantry-vm\n' >/etc/hosts
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 kernel.panic_on_oops=1 vm.panic_on_oom=0

# As systemd leaves it: every controller down to the services, and this one in a cgroup of its own.
controllers=$(sed 's/[a-z_]*/+&/g' /sys/fs/cgroup/cgroup.controllers)
for group in '' /system.slice; do
  mkdir -p "/sys/fs/cgroup$group"
  for controller in $controllers; do echo "$controller" >"/sys/fs/cgroup$group/cgroup.subtree_control"; done 2>/dev/null
done
mkdir -p /sys/fs/cgroup/system.slice/gantry-tests.service
echo $$ >/sys/fs/cgroup/system.slice/gantry-tests.service/cgroup.procs

if [ -d /sys/fs/selinux ]; then sh tools/vm/guest/selinux.sh; fi

setsid -w bash machine/script
status=$?
# The terminal was taken away with the script's session.
echo "gantry-vm-status $status" >/dev/hvc0
# In case nobody reads.
sleep 30
echo o >/proc/sysrq-trigger
sleep 30
