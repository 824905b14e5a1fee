#!/usr/bin/env bash
# Tries the Debian package in a clean Debian 12, as root: `tests/package.sh PACKAGE FOLDER [busted's arguments]`, which
# `./bootstrap package --try FOLDER` calls. debootstrap fills the folder, unless there is a system in it already; apt
# installs the package there, and the specs run under it, all of them or those of the arguments, in a copy of the tree.
# It is removed again in the end, and nothing of it may stay.
set -euo pipefail

# Mounts and processes are this script's own, and end with it. As process 1 it would pass over the signals that end it.
[ "$$" -eq 1 ] || exec unshare --mount --pid --fork --kill-child "$0" "$@"
trap 'exit 130' INT TERM

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
package=$1
folder=$2
shift 2

inside() {
  chroot "$folder" env -i HOME=/root TERM="${TERM-dumb}" LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

[ -x "$folder/usr/bin/apt-get" ] || debootstrap --variant=minbase bookworm "$folder" http://deb.debian.org/debian
folder=$(cd "$folder" && pwd)
mount -t proc proc "$folder/proc"
mount --rbind /sys "$folder/sys" # MPI looks there for the machine's processors and nets
mount --rbind /dev "$folder/dev"

# As a user has it, without anything that the specs need.
cp "$package" "$folder/tmp/nnlua.deb"
inside apt-get -q update
inside apt-get -q install -y /tmp/nnlua.deb
inside nnlua --version

# The tree, with what the build makes for the specs in its place: made for the package, and from what it brings.
rm -rf "$folder/nnlua"
mkdir "$folder/nnlua"
tar -C "$tree" -cf - --exclude=./build --exclude=./.git --exclude=./tests/spec/install_spec.lua . |
  tar -C "$folder/nnlua" -xf - --no-same-owner
inside /nnlua/bootstrap install-deps
inside sh -ec '
  cd /nnlua
  mkdir -p build/package/stand_in
  ln -s /usr/bin/nnlua /usr/lib/lua/5.4/nnlua.so build/package
  for source in examples/host/*.c tests/host/*.c; do
    cc -O2 -pthread -o "build/package/nnlua_$(basename "$source" .c)" "$source" $(pkg-config --cflags --libs nnlua)
  done
  cc -O2 -Isrc -o build/package/nnlua_limits bench/limits.c
  cc -O2 -fPIC -shared -o build/package/failing.so tests/support/failing.c $(pkg-config --cflags lua5.4)
  cc -O2 -fPIC -shared -Isrc -o build/package/stand_in/libopenblas.so.0 tests/support/openblas.c'

status=0
inside env NNLUA=/nnlua/build/package/nnlua sh -ec '
  cd /nnlua
  [ $# -eq 0 ] || exec nnlua test "$@"
  ./bootstrap models
  exec tests/run.sh' sh "$@" || status=$?

rm -rf "$folder/nnlua" "$folder/tmp/nnlua.deb"
inside apt-get -q purge -y nnlua
left=$(find "$folder" -xdev -name '*nnlua*' -not -path "$folder/var/*" -not -path "$folder/tmp/*")
[ -z "$left" ] || { printf 'left behind:\n%s\n' "$left" >&2; status=1; }
exit "$status"
