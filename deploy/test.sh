#!/usr/bin/env bash
# Every test there is: the unit tests, then the rigs that test the binaries from outside.
#
#   deploy/test.sh                       everything; the last line says "N passed, N failed"
#   deploy/test.sh --only kill9          one rig (see the list below), without the unit tests
#   deploy/test.sh --only kill9 --rounds 200 [--seed N]     the larger run of durability claims
#   deploy/test.sh --only powercut --rounds 50              the same for power cuts
#   deploy/test.sh --allow-skips         what cannot run here (no root, no loop devices) is no failure
#   deploy/test.sh --list
#
# KEEP_RIGS=1 keeps the rigs' directories (logs, ledgers) in .build/rigs.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

rigs_are="judge interop-1.3.0 interop-0.3.26 credentials proxies proxies-control service bundle kill9
kill9-control redrive failedwrite lostpages fulldisk memory manyfiles stop backup operator alerts tutorial agents
flushcount powercut powercut-control fuzz try"
only= rounds= seed= allow_skips=
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; say "rigs:" $rigs_are; exit "$1"; }
while [ $# -gt 0 ]; do
  case $1 in
    --only) only="$only ${2:?--only takes a name}"; shift ;;
    --rounds) rounds=${2:?--rounds takes a number}; shift ;;
    --seed) seed=${2:?--seed takes a number}; shift ;;
    --allow-skips) allow_skips=yes ;;
    --list) say $rigs_are; exit 0 ;;
    --help | -h) usage 0 ;;
    *) usage 64 ;;
  esac
  shift
done
for name in $only; do
  case " $(say $rigs_are) " in *" $name "*) ;; *) usage 64 ;; esac
done

# What a rig that was killed has left: mounts and loop devices of this checkout, nobody else's.
clean() {
  local mount loop under="$root/.build/rigs/"
  detach() { umount "$1" 2>/dev/null || umount -l "$1" 2>/dev/null; }
  # The file systems on loop devices, the devices, and then what their images lie on.
  while read -r mount; do detach "$mount"
  done < <(awk -v under="$under" 'index($2, under) == 1 && $1 ~ /^.dev.loop/ {print $2}' /proc/mounts)
  while read -r loop; do losetup -d "$loop"
  done < <(losetup -n -O NAME,BACK-FILE 2>/dev/null |
    awk -v under="$under" 'index($2, under) == 1 {print $1}')
  while read -r mount; do detach "$mount"
  done < <(awk -v under="$under" 'index($2, under) == 1 {print $2}' /proc/mounts)
  return 0
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

passed=0 failed=0 failures= times=
result() { # name, exit code, seconds
  times="$times$(printf '%6d s  %s' "$3" "$1")"$'\n'
  case $2 in
    0) passed=$((passed + 1)); say "passed: $1 ($3 s)"; return ;;
    77) [ -n "$allow_skips" ] && return
      say "failed: $1 was skipped (--allow-skips accepts that)" ;;
    124) say "failed: $1 took longer than its limit, $3 s" ;;
    *) say "failed: $1 (exit code $2, $3 s)" ;;
  esac
  failed=$((failed + 1)) failures="$failures $1"
}

# Whether the rig is to be run.
wanted() {
  [ -n "$only" ] || return 0
  case " $only " in *" $1 "*) ;; *) return 1 ;; esac
}

# A limit is for what hangs: some four times what the rig takes on an idle machine with two cores.
rig() { # name, limit in seconds, command…
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  wanted "$name" || return
  [ -z "$rounds" ] || limit=$((limit + rounds * 30))
  title "$name"
  timeout --kill-after=20 "$limit" "$@" </dev/null
  result "$name" $? $((SECONDS - start))
}

title "tools"
install libsqlite3-dev || die "libsqlite3-dev is needed"
install python3 python3-venv gcc e2fsprogs xfsprogs util-linux mount curl \
  openssl nginx caddy systemd strace procps \
  iproute2 python3-yaml jq ||
  say "some rigs will be skipped"
need_swift
python=/usr/bin/python3
[ -x "$python" ] || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or newer is needed"

title "build"
start=$SECONDS
# With the tests only where they are run: a rig takes the relay alone.
if [ -z "$only" ]; then
  swift build --build-tests || die "the debug build failed"
else
  swift build --product a2a-relay || die "the debug build failed"
fi
swift build -c release --product a2a-relay || die "the release build failed"
# Here and not in the rig, whose limit is for what it does itself.
if wanted bundle; then static_build >/dev/null || die "the static build failed"; fi
times="$(printf '%6d s  build' $((SECONDS - start)))"$'\n'
export RELAY_BINARY_DEBUG="$(swift build --show-bin-path)/a2a-relay"
export RELAY_BINARY_RELEASE="$(swift build -c release --show-bin-path)/a2a-relay"

if [ -z "$only" ]; then
  title "unit tests"
  start=$SECONDS
  timeout --kill-after=20 2400 swift test --skip-build --disable-xctest --parallel </dev/null
  result unit-tests $? $((SECONDS - start))
fi

seeded=() given=()
[ -z "$seed" ] || seeded=(--seed "$seed")
[ -z "$rounds" ] || given=(--rounds "$rounds")
rigs=Tests/Rigs
rig judge 60 "$python" $rigs/judge_test.py
rig interop-1.3.0 800 "$python" Tests/Interop/interop.py --sdk 1.3.0
rig interop-0.3.26 800 "$python" Tests/Interop/interop.py --sdk 0.3.26
rig credentials 400 "$python" $rigs/credentials.py
rig proxies 600 "$python" $rigs/proxies.py
rig proxies-control 300 "$python" $rigs/proxies_control.py
rig service 400 "$python" $rigs/service.py
rig bundle 400 "$python" $rigs/bundle.py
rig kill9 900 "$python" $rigs/kill9.py "${seeded[@]}" "${given[@]}"
rig kill9-control 700 "$python" $rigs/kill9.py --control "${seeded[@]}"
rig redrive 500 "$python" $rigs/redrive.py
rig failedwrite 700 "$python" $rigs/failedwrite.py "${seeded[@]}" "${given[@]}"
rig lostpages 600 "$python" $rigs/lostpages.py "${given[@]}"
rig fulldisk 600 "$python" $rigs/fulldisk.py
rig memory 400 "$python" $rigs/memory.py
rig manyfiles 600 "$python" $rigs/manyfiles.py
rig stop 200 "$python" $rigs/stop.py
rig backup 300 "$python" $rigs/backup.py "${seeded[@]}"
rig operator 400 "$python" $rigs/operator_cli.py
rig alerts 400 "$python" $rigs/alerts.py
rig tutorial 400 "$python" $rigs/tutorial.py
rig agents 500 "$python" $rigs/agents.py
rig flushcount 700 "$python" $rigs/flushcount.py "${given[@]}"
rig powercut 1200 "$python" $rigs/powercut.py "${seeded[@]}" "${given[@]}"
rig powercut-control 700 "$python" $rigs/powercut.py --control "${seeded[@]}"
rig fuzz 1500 bash -c 'for target in HTTPHead Chunked JSONScan; do
  log=.build/fuzz-$target.log
  deploy/fuzz.sh $target 60 >"$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
  tail -n 1 "$log"
  units=$(sed -n "s/^$target: \([0-9]*\) units .*/\1/p" "$log")
  [ "${units:-0}" -ge 10000 ] || { echo "  $target: that is no fuzzing"; exit 1; }
done
if deploy/fuzz.sh Control 30 >.build/fuzz-Control.log 2>&1; then
  echo "  the planted bug was not found"; exit 1
fi
grep -q "deadly signal" .build/fuzz-Control.log || { tail -n 40 .build/fuzz-Control.log; exit 1; }
echo "Control: the planted bug was found"'
rig try 600 bash deploy/try.sh --quit --sdk

title "times"
printf '%s%6d s  all\n' "$times" "$SECONDS"
[ -z "$failures" ] || say "failed:$failures"
say ""
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
