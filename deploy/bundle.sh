#!/usr/bin/env bash
# Makes one tar that installs the relay on a machine without any network:
#
#   deploy/bundle.sh [DIRECTORY]     into .build, or DIRECTORY; prints the path of the tar
#
# The binary in it is static: Swift's runtime, SQLite and glibc are inside, and it needs nothing of the
# machine but a Linux kernel of the same architecture. SHA256SUMS covers every file.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
mkdir -p "${1:-$root/.build}"
into=$(cd "${1:-$root/.build}" && pwd)
cd "$root"

install libsqlite3-dev >&2 || die "libsqlite3-dev is needed, for libsqlite3.a"
need_swift
binary=$(static_build)
if readelf -l "$binary" | grep -q INTERP; then die "the binary is not static"; fi

version=$("$binary" --version | cut -d' ' -f2)
name=a2a-relay-$version-linux-$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/$name
mkdir -p "$out"/{bin,deploy,docs}
cp "$binary" "$out/bin/a2a-relay"
chmod 755 "$out/bin/a2a-relay"
cp deploy/{nginx.conf,Caddyfile,a2a-relay.service,agent.py,alerts.yaml} "$out/deploy/"
cp docs/*.md "$out/docs/"
cp README.md LICENSE "$out/"
cp deploy/install.sh "$out/install.sh"
(cd "$out" && find . -type f ! -name SHA256SUMS -printf '%P\0' | LC_ALL=C sort -z |
  xargs -0 sha256sum >SHA256SUMS)
# The same bytes for the same content: times, owners and order are fixed.
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@"${SOURCE_DATE_EPOCH:-0}" \
  -cf - "$name" | gzip -n >"$into/$name.tar.gz"
say "$into/$name.tar.gz"
