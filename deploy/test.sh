#!/usr/bin/env bash
# Installs what the tests need, and runs every test there is. Takes the options of Tests/run.
#
#   deploy/test.sh                  everything; the last line says "N passed, N failed"
#   deploy/test.sh --allow-skips    what cannot run here (no root, no loop devices) is no failure
#   deploy/test.sh --help           the other options
set -uo pipefail
. "$(dirname "$0")/lib.sh"

case " $* " in *" --help "* | *" -h "* | *" --list "*) exec "$root/Tests/run" "$@" ;; esac
title "tools"
install libsqlite3-dev || die "libsqlite3-dev is needed"
install python3 python3-venv gcc e2fsprogs xfsprogs util-linux mount curl \
  openssl nginx caddy systemd strace procps \
  iproute2 python3-yaml jq ||
  say "some rigs will be skipped"
exec "$root/Tests/run" "$@"
