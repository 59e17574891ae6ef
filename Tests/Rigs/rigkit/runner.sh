# Runs rigs, each within a time limit, and counts them. To be read with `.`, not run.
#
# The script that reads this sets `lanes`, how many rigs may run beside each other, `allow_skips`, and
# `logs`, a folder. It calls `rig` for each rig and then `report`.

passed=0 failed=0 failures= times=
declare -A begun=() process=() # by name, of those that run
rm -rf "$logs"
mkdir -p "$logs"
# Each rig writes its name and its exit code here when it ends. (`wait -n` may overlook one that ended
# before it was called.)
mkfifo "$logs/ended"
exec 3<>"$logs/ended"

# Counts one part of the run.
result() { # name, exit code, seconds
  times="$times$(printf '%6d s  %s' "$3" "$1")"$'\n'
  case $2 in
    0) passed=$((passed + 1)); say "passed: $1 ($3 s)"; return ;;
    77) [ -n "$allow_skips" ] && return
      say "failed: $1 was skipped (--allow-skips accepts that)" ;;
    124 | 137) say "failed: $1 took longer than its limit, $3 s" ;;
    *) say "failed: $1 (exit code $2, $3 s)" ;;
  esac
  failed=$((failed + 1)) failures="$failures $1"
}

# Runs the command in the background; the shell stays free to end it when it is interrupted itself.
launch() { # name, limit, command…
  local name=$1 limit=$2
  shift 2
  (
    timeout --kill-after=20 "$limit" "$@" </dev/null 3>&- &
    trap 'kill $! 2>/dev/null' TERM
    wait $!; code=$?
    kill -0 $! 2>/dev/null && { wait $!; code=$?; }
    echo "$name $code" >&3
  ) &
  process[$name]=$! begun[$name]=$SECONDS
}

# Waits for the next rig that ends, and prints what it wrote into its file.
reap() {
  local name code
  read -r -u 3 name code
  if [ -e "$logs/$name" ]; then
    title "$name"
    cat "$logs/$name"
  fi
  result "$name" "$code" $((SECONDS - begun[$name]))
  unset "process[$name]" "begun[$name]"
}

# Waits until no rig runs.
settle() { while [ ${#process[@]} -gt 0 ]; do reap; done; }

# Runs a rig. One that runs beside others writes into a file, which is printed whole when it ends; one
# that runs alone waits for the others to end, and writes to the terminal.
rig() { # name, limit in seconds, "alone" or "beside", command…
  local name=$1 limit=$2 how=$3
  shift 3
  if [ "$how" = beside ] && [ "$lanes" -gt 1 ]; then
    while [ ${#process[@]} -ge "$lanes" ]; do reap; done
    launch "$name" "$limit" "$@" >"$logs/$name" 2>&1
  else
    settle
    title "$name"
    launch "$name" "$limit" "$@"
    reap
  fi
}

# Ends the rigs that run, and waits for them. For a script that is interrupted.
stop_rigs() {
  [ ${#process[@]} -eq 0 ] && return
  kill "${process[@]}" 2>/dev/null
  wait
}

# Prints the times and the count; returns 0 if something passed and nothing failed.
report() {
  settle
  title "times"
  printf '%s%6d s  all\n' "$times" "$SECONDS"
  [ -z "$failures" ] || say "failed:$failures"
  say ""
  say "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
