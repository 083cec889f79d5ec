#!/bin/sh
# Loads Debian's policy and labels the machine's files by it, as the first boot of a host with SELinux does.
mount -t selinuxfs selinuxfs /sys/fs/selinux
load_policy -i || load_policy
setfiles -F -e /proc -e /sys -e /dev -e /gantry /etc/selinux/default/contexts/files/file_contexts / >/dev/null 2>&1
echo "selinux: $(getenforce), $(cat /proc/self/attr/current)"
