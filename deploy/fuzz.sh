#!/bin/sh
# Fuzzes one target of Tests/Fuzz for some seconds; exits non-zero when it finds something.
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

cd "$out"
exec "./$target.fuzzer" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
  -artifact_prefix="$out/$target-" -print_final_stats=1 "$target" ${seeds:+"$seeds"}
