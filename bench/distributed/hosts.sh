#!/usr/bin/env bash
# Several machines within this one: network namespaces, joined by a bridge, each with a name of its own. As root:
#   bench/distributed/hosts.sh run N [--rate 1gbit] [--delay 5ms] [--cut SECONDS] -- nnlua run [-n N] script…
# runs a command on the first of N hosts, of which OpenMPI knows the others; --rate limits each one's link (tc tbf),
# --delay is how long a frame takes from one to another (delay.c, which cc compiles; wants Debian's ethtool), --cut
# takes the last one's link down after so many seconds.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bridge=nnlua-br
network=10.77.0

host() { printf 'nnlua%d' "$1"; }

remove() {
  local i
  for ((i = 1; i <= hosts; i++)); do ip netns del "$(host "$i")" 2>/dev/null || true; done
  for ((i = 1; i <= hosts; i++)); do
    ip link del "nnlua-v$i" 2>/dev/null || true
    ip link del "nnlua-w$i" 2>/dev/null || true
  done
  ip link del "$bridge" 2>/dev/null || true
  [ -z "$forwarder" ] || kill "$forwarder" 2>/dev/null || true
  rm -rf "$folder"
}

# Puts a forwarder between the hosts' links and the bridge. Checksums are the sender's work then, and so is cutting into
# frames, which are large ones, since each costs the forwarder as much.
delay_links() {
  local i end links=()
  cc -std=c11 -O2 -o "$folder/delay" "$here/delay.c"
  for ((i = 1; i <= hosts; i++)); do
    ip link add "nnlua-w$i" type veth peer name "nnlua-x$i"
    for end in "nnlua-v$i" "nnlua-w$i" "nnlua-x$i"; do ip link set "$end" mtu 9000; done
    ip netns exec "$(host "$i")" ip link set eth0 mtu 9000
    ip link set "nnlua-w$i" up
    ip link set "nnlua-v$i" nomaster
    ip link set "nnlua-x$i" master "$bridge" up
    ip netns exec "$(host "$i")" ethtool -K eth0 tx off >/dev/null
    links+=("nnlua-v$i" "nnlua-w$i")
  done
  nice -n -20 "$folder/delay" "${delay%ms}" "${links[@]}" &
  forwarder=$!
  sleep 0.5
}

make() {
  local i
  ip link add "$bridge" type bridge
  ip link set "$bridge" up
  for ((i = 1; i <= hosts; i++)); do
    ip netns add "$(host "$i")"
    ip link add "nnlua-v$i" type veth peer name eth0 netns "$(host "$i")"
    ip link set "nnlua-v$i" master "$bridge" up
    ip netns exec "$(host "$i")" ip addr add "$network.$i/24" dev eth0
    ip netns exec "$(host "$i")" ip link set eth0 up
    ip netns exec "$(host "$i")" ip link set lo up
    if [ -n "$rate" ]; then
      tc qdisc add dev "nnlua-v$i" root tbf rate "$rate" burst 256kb latency 100ms
      ip netns exec "$(host "$i")" tc qdisc add dev eth0 root tbf rate "$rate" burst 256kb latency 100ms
    fi
    echo "$network.$i slots=64" >>"$folder/hosts"
  done
  # What OpenMPI calls in the place of ssh: AGENT HOST COMMAND….
  cat >"$folder/agent" <<'AGENT'
#!/bin/sh
name=nnlua${1##*.}
shift
exec ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"
AGENT
  chmod +x "$folder/agent"
}

[ "${1-}" = run ] || { sed -n '2,7s/^# //p' "$0"; exit 2; }
hosts=$2 rate='' delay='' cut='' forwarder=''
shift 2
while [ "${1-}" != -- ]; do
  case $1 in
    --rate) rate=$2 ;;
    --delay) delay=$2 ;;
    --cut) cut=$2 ;;
    *) echo "hosts.sh: what is $1?" >&2; exit 2 ;;
  esac
  shift 2
done
shift
folder=$(mktemp -d /tmp/nnlua-hosts.XXXXXX)
remove
mkdir -p "$folder"
trap remove EXIT
trap 'exit 1' INT TERM HUP
make
[ -z "$delay" ] || delay_links
export OMPI_MCA_plm_rsh_agent="$folder/agent" OMPI_MCA_orte_default_hostfile="$folder/hosts"
export OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
export OMPI_MCA_rmaps_base_mapping_policy=node OMPI_MCA_hwloc_base_binding_policy=none
[ -z "$cut" ] || { sleep "$cut"; ip link set "nnlua-v$hosts" down; } &
ip netns exec "$(host 1)" unshare --uts sh -c 'hostname nnlua1; exec "$@"' sh "$@"
