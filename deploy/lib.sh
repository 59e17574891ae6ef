# Shared by the scripts in deploy/ and by Tests/run: to be read with `.`, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
title() { printf '\n== %s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# install PACKAGE...: installs those Debian packages of the list that are missing. Returns 1 when
# that is not possible here.
install() {
  local missing=() package as_root=() updated=
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || { say "missing: ${missing[*]}; there is no apt-get here"; return 1; }
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "missing: ${missing[*]}; neither root nor sudo"; return 1; }
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  # One at a time: what one of them lacks does not keep the others away.
  for package in "${missing[@]}"; do
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq "$package" </dev/null >/dev/null 2>&1 && continue
    [ -n "$updated" ] || "${as_root[@]}" apt-get update -qq </dev/null >/dev/null 2>&1 || true
    updated=yes
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq "$package" </dev/null >/dev/null || { say "cannot install $package"; return 1; }
  done
}

# Builds the binary that needs nothing of the machine, and prints its path. It has a folder of its
# own: the build for this machine, which is linked otherwise, stays as it is.
static_build() {
  local build=(swift build -c release --product a2a-relay --static-swift-stdlib
    -Xswiftc -static-executable -Xlinker -s --scratch-path "$root/.build/static")
  "${build[@]}" >&2 || die "the static build failed"
  say "$("${build[@]}" --show-bin-path)/a2a-relay"
}

need_swift() {
  command -v swift >/dev/null || die "swift is not installed: see https://www.swift.org/install/linux"
}
