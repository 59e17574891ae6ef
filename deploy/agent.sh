#!/bin/sh
# A whole A2A agent in curl: no open port, only outgoing HTTP. agent.py is the same in Python.
#
#   RELAY=http://127.0.0.1:8080 WORKSPACE=… TOKEN=rtok_… sh deploy/agent.sh
inbox="${RELAY%/}/workspaces/$WORKSPACE/inbox"
while entry=$(curl -sSf "$inbox?wait=25" -H "Authorization: Bearer $TOKEN"); do
  [ -n "$entry" ] || continue
  message=$(printf '%s' "$entry" | sed 's/.*"messages":\[{"id":"\([^"]*\)".*/\1/')
  lease=$(printf '%s' "$entry" | sed 's/.*"lease":{"token":"\([^"]*\)".*/\1/')
  curl -sSf -o /dev/null -X POST "$inbox/$message/result" -H "Authorization: Bearer $TOKEN" \
    -H "X-Relay-Lease: $lease" -d '{"text":"You said: Hello again"}'
done
