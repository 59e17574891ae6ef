#!/bin/sh
# Installs the relay from the unpacked bundle that this file lies in. Needs no network, and is run
# again for an upgrade.
#
#   ./install.sh                       into /usr/local, as a service if systemd runs here (needs root)
#   ./install.sh --prefix DIRECTORY    the files only: no user, no service
set -eu
cd "$(dirname "$0")"
prefix=/usr/local service=yes
case ${1:-} in
  '') ;;
  --prefix) prefix=${2:?--prefix takes a directory}; service= ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 64 ;;
esac

sha256sum --quiet -c SHA256SUMS || { echo "install.sh: the bundle is damaged; nothing was installed" >&2; exit 1; }

share=$prefix/share/a2a-relay
mkdir -p "$prefix/bin" "$share"
# By a new name and a rename: a running relay keeps its old file, and there is never half a one.
cp bin/a2a-relay "$prefix/bin/.a2a-relay.new"
chmod 755 "$prefix/bin/.a2a-relay.new"
mv "$prefix/bin/.a2a-relay.new" "$prefix/bin/a2a-relay"
cp -R README.md LICENSE docs deploy "$share/"
echo "installed $prefix/bin/a2a-relay; the documentation is in $share"
[ -n "$service" ] || exit 0

id a2a-relay >/dev/null 2>&1 ||
  useradd --system --home-dir /var/lib/a2a-relay --shell /usr/sbin/nologin a2a-relay
if [ -d /run/systemd/system ]; then
  cp deploy/a2a-relay.service /etc/systemd/system/
  systemctl daemon-reload
  echo "next: settings in /etc/a2a-relay/environment (A2A_RELAY_PUBLIC_URL=https://…), then"
  echo "      systemctl enable a2a-relay && systemctl restart a2a-relay"
  echo "      cat /var/lib/a2a-relay/admin-token    the operator's token, after the first start"
else
  echo "systemd does not run here: start it by hand, a2a-relay serve --data DIRECTORY"
fi
