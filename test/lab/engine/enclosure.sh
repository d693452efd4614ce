#!/bin/sh
# The first process of an enclosure (see enclosure.ts): gives it a /run, a /sys, a HOME and a TMPDIR of its own, runs
# the command, and reaps what others leave behind. When it ends, the kernel ends every process of the enclosure.
set -e
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/netns /run/lock /run/lab/home /run/lab/tmp /run/lab/state /run/lab/work
mount -t sysfs sysfs /sys
# Programs may write their state; this machine's own stays as it is.
mount -t overlay state -o lowerdir=/var/lib,upperdir=/run/lab/state,workdir=/run/lab/work /var/lib 2>/dev/null || :
ip link set lo up
set +e
LAB_ENCLOSED=1 HOME=/run/lab/home TMPDIR=/run/lab/tmp "$@"
