#!/bin/sh
# Fuzzes one target of Tests/Fuzz for some seconds of CPU time; exits non-zero when it finds
# something. The last line says how many units that were.
#
#   deploy/fuzz.sh HTTPHead 60
#
# A target is a file Tests/Fuzz/TARGET.swift with an LLVMFuzzerTestOneInput. It is compiled into one
# module with Sources/Wire and so imports nothing of it. The corpus begins with the files in
# Tests/Fuzz/seeds/TARGET and is kept in .build/fuzz/TARGET. A finding is left beside that as
# TARGET-crash-…; run TARGET.fuzzer with the file to see it again.
set -eu

usage="usage: deploy/fuzz.sh TARGET SECONDS, TARGET being one of:"
root=$(cd "$(dirname "$0")/.." && pwd)
source="$root/Tests/Fuzz/${1:-}.swift"
seconds=${2:-}
if [ ! -f "$source" ] || ! [ "$seconds" -gt 0 ] 2>/dev/null; then
  echo "$usage" $(cd "$root/Tests/Fuzz" && ls -- *.swift | sed 's/\.swift$//') >&2
  exit 2
fi

target=$1
out="$root/.build/fuzz"
mkdir -p "$out/$target"

# A module cannot hold two files of one name: the target gets a name of its own.
ln -sf "$source" "$out/Fuzz$target.swift"

find "$root/Sources/Wire" -name '*.swift' -print | sort > "$out/$target.sources"
echo "$out/Fuzz$target.swift" >> "$out/$target.sources"
swiftc -O -sanitize=fuzzer,address -use-ld=lld -parse-as-library -swift-version 6 \
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
  -enable-upcoming-feature MemberImportVisibility -package-name a2a-relay \
  -module-name "Fuzz$target" -o "$out/$target.fuzzer" "@$out/$target.sources"

# The first folder takes what is found, the others are only read.
seeds="$root/Tests/Fuzz/seeds/$target"
[ -d "$seeds" ] || seeds=

# Seconds of CPU time that the commands of this script have used. `times` goes into a file: a
# subshell would tell of its own.
used() {
  times > "$out/$target.times"
  awk -F '[ms ]+' 'NR == 2 {printf "%d\n", $1 * 60 + $2 + $3 * 60 + $4}' "$out/$target.times"
}

# Swift's own report of a trap reads freed memory, at which the sanitizer ends it: libFuzzer reports.
export SWIFT_BACKTRACE=enable=no
# What is made once for a global is no leak. Swift marks pointers in enums, and the sanitizer does not
# see through the marks.
echo "leak:once_slow" > "$out/suppressions"
export LSAN_OPTIONS="suppressions=$out/suppressions:print_suppressions=0"
cd "$out"
used > "$out/$target.used"
before=$(cat "$out/$target.used") spent=0 units=0
# libFuzzer counts wall time. Where it gets no whole processor, further runs make up for it.
while [ "$spent" -lt "$seconds" ]; do
  "./$target.fuzzer" -max_total_time=$((seconds - spent)) -max_len=8192 -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$out/$target-" -print_final_stats=1 "$target" \
    ${seeds:+"$seeds"} 2> "$out/$target.log" || { cat "$out/$target.log" >&2; exit 1; }
  cat "$out/$target.log" >&2
  now=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
  units=$((units + ${now:-0}))
  used > "$out/$target.used"
  spent=$(($(cat "$out/$target.used") - before))
done
echo "$target: $units units in $spent s of CPU time"
