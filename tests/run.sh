#!/usr/bin/env bash
# Runs all specs under the nnlua that NNLUA names, shared out over as many processes as there are CPUs, and closes with
# busted's line of counts. ./bootstrap test calls it.
#
# A spec file that takes long says so at its head, with a line such as "-- parts: 4": it is begun before the others, and
# its specs are shared out over so many processes.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

processes=$(nproc)
folder=$(mktemp -d /tmp/nnlua-specs.XXXXXX)
export TMUX_TMPDIR=$folder # so that no terminal of a spec that is broken off lives on

good=0 failures=0 errors=0 pending=0
tasks=()             # each "file part parts"
declare -A running=() # the process of a task
began=()
times=()
is_dotted=''

mkfifo "$folder/ends" # each task writes its number and its status to it when it ends
exec 3<>"$folder/ends"

# ------------------------------------------------------------------ processes

stop_all() {
  local id socket
  for id in "${running[@]}"; do
    kill -TERM -- "-$id" 2>/dev/null
  done
  for socket in "$folder"/tmux-*/*; do
    [ ! -S "$socket" ] || tmux -S "$socket" kill-server 2>/dev/null
  done
}

leave() {
  stop_all
  rm -rf "$folder"
}

trap leave EXIT
for signal in INT TERM HUP; do
  trap "leave; trap - EXIT $signal; kill -$signal \$\$" $signal
done

now() { printf '%s' "${EPOCHREALTIME//[.,]/}"; }

start() {
  local file part parts
  read -r file part parts <<<"${tasks[$1]}"
  began[$1]=$(now)
  set -m # a group for each, so that all that it starts can be ended
  {
    "$NNLUA" /usr/bin/busted -o plainTerminal --helper=tests/support/part.lua -Xhelper "$part/$parts" "$file" 3>&-
    printf '%d %d\n' "$1" "$?" >&3
  } </dev/null >"$folder/$1" 2>&1 &
  set +m
  running[$1]=$!
}

# --------------------------------------------------------------------- report

name_of() {
  local file part parts
  read -r file part parts <<<"${tasks[$1]}"
  [ "$parts" -eq 1 ] || file+=" ($part/$parts)"
  printf '%s' "$file"
}

clear_line() {
  if [ -t 1 ]; then
    printf '\r\033[K'
  elif [ -n "$is_dotted" ]; then
    printf '\n'
  fi
  is_dotted=''
}

# On a terminal a line that is overwritten, elsewhere a sign for each task that has ended.
show_progress() {
  local sign=$1 task names='' line
  if [ ! -t 1 ]; then
    printf '%s' "$sign"
    is_dotted=yes
    return
  fi
  for task in "${!running[@]}"; do
    names+=" $(name_of "$task")"
  done
  line="$ended of ${#tasks[@]}, $good passed, $((failures + errors)) failed:${names//tests\/spec\//}"
  printf '\r\033[K%s' "${line:0:$((${COLUMNS:-80} - 1))}"
}

# Counts what a task says at its end. Whatever it prints besides is shown: failures, errors, and what no spec should print.
# An end without counts, or with counts that are good and a status that is not, is an error as well: a crash, a leak.
finish() {
  local task=$1 status=$2 counts said='' sign=+ problem=''
  local closing='^([0-9]+) success(es)? / ([0-9]+) failures? / ([0-9]+) errors? / ([0-9]+) pending.*'
  local own_good own_failures own_errors own_pending
  ended=$((ended + 1))
  times+=("$(($(now) - began[task])) $(name_of "$task")")
  counts=$(sed -nE "s|$closing|\1 \3 \4 \5|p" "$folder/$task" | tail -n 1)
  read -r own_good own_failures own_errors own_pending <<<"${counts:-0 0 0 0}"
  if [ -z "$counts" ]; then
    problem="broke off with status $status"
  elif [ "$((own_failures + own_errors))" -eq 0 ] && [ "$status" -ne 0 ]; then
    problem="ended with status $status"
  elif [ "$((own_good + own_failures + own_errors + own_pending))" -eq 0 ] && [[ ${tasks[task]} = *' 1' ]]; then
    problem='ran no spec' # as a part may
  fi
  if [ -n "$problem" ]; then
    own_errors=1
    said=$(cat "$folder/$task")
  else
    said=$(sed -E "1{/^[-+*.]*\$/d}; /$(printf '%s' "${closing//\//\\/}")/d" "$folder/$task")
  fi
  good=$((good + own_good)) failures=$((failures + own_failures))
  errors=$((errors + own_errors)) pending=$((pending + own_pending))
  [ "$((own_failures + own_errors + own_pending))" -eq 0 ] || sign=-
  if [ -n "$said" ]; then
    clear_line
    printf '== %s%s\n%s\n' "$(name_of "$task")" "${problem:+: $problem}" "$said"
  fi
  show_progress "$sign"
}

show_slowest() {
  local time name text=''
  while read -r time name; do
    text+="; $name $((time / 1000000)) s"
  done < <(printf '%s\n' "${times[@]}" | sort -rn | head -n 5)
  printf 'The slowest:%s\n' "${text#;}"
}

# ------------------------------------------------------------------------ run

collect_tasks() {
  local file parts part short=()
  while IFS= read -r file; do
    parts=$(sed -nE '1,10s/^-- parts: ([0-9]+)$/\1/p' "$file")
    if [ -z "$parts" ]; then
      short+=("$file 1 1")
    else
      for ((part = 1; part <= parts; part++)); do
        tasks+=("$file $part $parts")
      done
    fi
  done < <(find tests/spec -name '*_spec.lua' | sort)
  tasks+=("${short[@]}")
}

# Waits for the end of a task: sets task and status. One whose process is gone and has said nothing was killed. A read
# that runs out of time within a line leaves what it has read in its variable: the rest comes with the next one.
wait_for_end() {
  local line='' piece
  until IFS= read -r -t 5 piece <&3; do
    line+=$piece
    for task in "${!running[@]}"; do
      if ! kill -0 "${running[$task]}" 2>/dev/null && [ -z "$line" ] && ! read -r -t 0 <&3; then
        status=255
        return
      fi
    done
  done
  read -r task status <<<"$line$piece"
}

ended=0
next=0
start_time=$(now)
collect_tasks
[ -t 1 ] || printf '%d parts, %d at a time; + is one that passed, - one that failed\n' "${#tasks[@]}" "$processes"
while [ "$ended" -lt "${#tasks[@]}" ]; do
  while [ "$next" -lt "${#tasks[@]}" ] && [ "${#running[@]}" -lt "$processes" ]; do
    start "$next"
    next=$((next + 1))
  done
  wait_for_end
  unset "running[$task]"
  finish "$task" "$status"
done

plural() { printf '%d %s%s' "$1" "$2" "$([ "$1" -eq 1 ] || printf '%s' "$3")"; }

clear_line
show_slowest
spent=$(($(now) - start_time))
printf '%s / %s / %s / %d pending : %d.%06d seconds\n' "$(plural "$good" success es)" "$(plural "$failures" failure s)" \
  "$(plural "$errors" error s)" "$pending" "$((spent / 1000000))" "$((spent % 1000000))"
[ "$((failures + errors))" -eq 0 ]
