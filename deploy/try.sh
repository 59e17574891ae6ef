#!/usr/bin/env bash
# See the relay work in one minute: builds it, starts it with an empty queue on a free local port,
# starts an agent that has no open port, sends it an A2A message and shows what happened to it.
#
#   deploy/try.sh          leaves nothing behind; what you see can be pasted while it waits
#   deploy/try.sh --quit   ends at once instead of waiting for Enter
#   deploy/try.sh --sdk    fails when the official A2A client cannot be fetched, instead of going on
#                          with curl alone; for tests
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

quit= sdk=
for option in "$@"; do
  case $option in
    --quit) quit=yes ;;
    --sdk) sdk=yes ;;
    *) die "unknown option $option; there are --quit and --sdk" ;;
  esac
done

folder=$(mktemp -d)
relay_pid= agent_pid=
clean() {
  [ -z "$agent_pid" ] || kill "$agent_pid" 2>/dev/null || true
  [ -z "$relay_pid" ] || kill "$relay_pid" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

title "Building the relay (the first time takes a few minutes)"
install libsqlite3-dev curl python3 || die "libsqlite3-dev, curl and python3 are needed"
need_swift
swift build -c release --product a2a-relay 2>&1 | tail -n 1
binary=$(swift build -c release --show-bin-path)/a2a-relay

title "Starting it on a free local port, with an empty data directory"
"$binary" serve --listen 127.0.0.1:0 --data "$folder/data" >"$folder/out" 2>"$folder/log" &
relay_pid=$!
for _ in $(seq 100); do
  grep -q http:// "$folder/out" && break
  kill -0 "$relay_pid" 2>/dev/null || { cat "$folder/log" >&2; die "the relay did not start"; }
  sleep 0.1
done
url=$(sed -n 's/.* \(http:[^ ]*\)$/\1/p' "$folder/out" | head -n 1)
[ -n "$url" ] || die "the relay did not say where it listens"
admin=$(cat "$folder/data/admin-token")
grep http:// "$folder/out"

field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
post() { curl -sS -X POST "$url$1" -H "Authorization: Bearer $2" -d "$3"; }

title "Making a workspace: the address of one agent"
id=$(post /workspaces "$admin" '{"name":"Parrot"}' | field id)
[ -n "$id" ] || die "no workspace was made"
say "workspace $id, called at $url/w/$id/"

title "Registering the agent and starting it: deploy/agent.py"
token=$(post /registry/register "$admin" "{\"id\":\"$id\"}" | field auth_token)
[ -n "$token" ] || die "the agent got no token"
RELAY=$url WORKSPACE=$id TOKEN=$token python3 "$root/deploy/agent.py" 2>"$folder/agent.log" &
agent_pid=$!
say "it only makes outgoing calls: it polls for work and posts results"

title "Sending it a message"
venv=$root/.build/venv-a2a-1.3.0
if [ ! -e "$venv/installed" ]; then
  say "fetching the official A2A client (a2a-sdk, by pip) …"
  { python3 -m venv "$venv" || { install python3-venv && python3 -m venv "$venv"; }; } \
    >/dev/null 2>&1 &&
    "$venv/bin/pip" install -q --disable-pip-version-check a2a-sdk==1.3.0 >/dev/null 2>&1 &&
    touch "$venv/installed" || true
fi
text="Hello from the other side of the firewall"
message=
if [ -e "$venv/installed" ]; then
  say "with the official a2a-sdk 1.3.0: $text"
  PYTHONPATH=$root/Tests/Interop "$venv/bin/python" - "$url/w/$id/" "$admin" "$text" <<'PYTHON' ||
import asyncio, sys
import official_1_3_0 as sdk
url, token, text = sys.argv[1:]
async def run():
    task = await (await sdk.connect(url, token)).send(text)
    print(f"answer: {task['text']}\ntask {task['id']} is {task['state']}")
asyncio.run(run())
PYTHON
    die "the official client got no answer"
elif [ -n "$sdk" ]; then
  die "the official client could not be fetched"
fi
send='{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"role":"user","messageId":"m-1","parts":[{"kind":"text","text":"Hello again"}]}}}'
say "with curl: Hello again"
answer=$(curl -sS -D "$folder/head" "$url/w/$id/" -H "X-Relay-Key: $admin" -d "$send")
message=$(tr -d '\r' <"$folder/head" | sed -n 's/^[Xx]-[Rr]elay-[Mm]essage-[Ii]d: //p')
say "answer: $answer"
case $answer in *"You said: Hello again"*) ;; *) die "that was not the agent's answer" ;; esac

title "What happened to that message (GET /workspaces/{id}/messages/{message})"
timeline=$(curl -sS "$url/workspaces/$id/messages/$message" -H "Authorization: Bearer $admin")
printf '%s' "$timeline" | python3 -c '
import json, sys
message = json.load(sys.stdin)
print("state:", message["state"])
for event in message["timeline"]:
    rest = {k: v for k, v in event.items() if k not in ("at", "event")}
    print(" ", event.get("at"), event.get("event"), " ".join(f"{k}={v}" for k, v in rest.items()))'

kill "$agent_pid" && wait "$agent_pid" 2>/dev/null || true
agent_pid=
title "Your own agent instead (the one above has been stopped): paste these"
cat <<TEXT
# 1. A credential for it (or: the token that the agent above used)
curl -X POST $url/registry/register -H 'Authorization: Bearer $admin' -d '{"id":"$id"}'
TOKEN=$token

# 2. In another terminal: send a message; it waits for the answer
curl $url/w/$id/ -H 'X-Relay-Key: $admin' -d '${send/m-1/m-2}'

# 3. Poll: waits up to 25 s, prints the message, its id and its lease
curl "$url/workspaces/$id/inbox?wait=25" -H "Authorization: Bearer \$TOKEN"

# 4. Answer it, with the id and the lease token that step 3 printed
curl -X POST $url/workspaces/$id/inbox/MESSAGE/result -H "Authorization: Bearer \$TOKEN" \\
  -H 'X-Relay-Lease: LEASE' -d '{"text":"done"}'
TEXT
if [ -z "$quit" ] && [ -t 0 ]; then
  printf '\nThe relay runs until you press Enter. '
  read -r _
fi
