#!/bin/sh
# The first program in a booted kernel (see kernel.ts). Its root is this machine's file system, read-only; it lays an
# overlay in memory on top, so that nothing on this machine can change, and goes on inside. The kernel passes as
# variables: lab_io (folder on this machine, mounted on /lab), lab_agent, lab_node, lab_init (plain or systemd); and
# lab_tree where another file system than this machine's is the root: this machine's is /outside there.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
say() { echo "lab: $*" >/dev/console; }
die() { say "$*"; sync; halt -f -p; }

outside() {
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root
  insmod "$(find /usr/lib/uml/modules -name overlay.ko)" || die 'cannot load the module overlay'
  mount -t overlay overlay -o lowerdir=${lab_tree:-/},upperdir=/mnt/upper,workdir=/mnt/work /mnt/root || die 'no overlay root'
  if [ -n "${lab_tree-}" ]; then
    mkdir /mnt/root/outside && mount --bind / /mnt/root/outside || die 'no /outside'
    lab_outside=/outside
    export lab_outside
  fi
  exec chroot /mnt/root /bin/sh "${lab_outside-}$0" inside
}

inside() {
  lab_node=${lab_outside-}$lab_node lab_agent=${lab_outside-}$lab_agent
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t tmpfs -o mode=755 run /run
  mkdir -p /run/lock /run/netns /dev/shm /lab /lib/modules
  mount -t tmpfs shm /dev/shm
  [ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
  mount -t hostfs none /lab -o "$lab_io" || die "cannot mount $lab_io"
  mount --bind "${lab_outside-}/usr/lib/uml/modules" /lib/modules
  # ipv6 comes first: ip_vs does not load without it. A module that is missing is named, the others load.
  modprobe -a ipv6 veth dummy macvlan bridge ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_dh ip_vs_mh \
    ip_vs_sed ip_vs_nq ip_vs_lblc ip_vs_lblcr ip_vs_fo ip_vs_ovf ip_vs_pe_sip ip_vs_ftp ipip sch_netem softdog \
    nf_tables nf_conntrack 2>/dev/console
  echo '1 4 1 7' >/proc/sys/kernel/printk
  ip link set lo up
  ulimit -n 65536
  export HOME=/root NODE_DISABLE_COLORS=1
  case $lab_init in
  systemd) systemd ;;
  *) "$lab_node" "$lab_agent" /dev/ttyS0 </dev/null >/dev/console 2>&1; die "the agent ended: $?" ;;
  esac
}

# systemd as the first process, with a target of the lab's own: nothing of this machine's services starts.
systemd() {
  units=/etc/systemd/system
  cat >$units/lab.target <<UNIT
[Unit]
Requires=sysinit.target dbus.socket
After=sysinit.target
Wants=lab-agent.service
AllowIsolate=yes
UNIT
  cat >$units/lab-agent.service <<UNIT
[Unit]
After=sysinit.target
[Service]
ExecStart=$lab_node $lab_agent /dev/ttyS0
Environment=HOME=/root
StandardInput=null
LimitNOFILE=65536
KillMode=process
UNIT
  for unit in systemd-udevd systemd-udev-trigger systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-modules-load systemd-timesyncd systemd-random-seed systemd-hwdb-update systemd-binfmt keyboard-setup \
    systemd-update-utmp systemd-journal-catalog-update systemd-machine-id-commit systemd-firstboot ifupdown-pre \
    networking apparmor systemd-remount-fs lvm2-monitor blk-availability systemd-pstore; do
    case $unit in *.*) ;; *) unit=$unit.service ;; esac
    ln -sf /dev/null "$units/$unit"
  done
  : >/etc/fstab
  # Or it empties /tmp, where the project may lie.
  : >/etc/tmpfiles.d/tmp.conf
  exec env -i PATH="$PATH" /lib/systemd/systemd --unit=lab.target --log-target=console --show-status=false
}

case ${1-} in inside) inside ;; *) outside ;; esac
