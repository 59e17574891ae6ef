#!/usr/bin/env python3
"""A whole A2A agent: no open port, only outgoing HTTP. Asks for work, does it, posts the result.

RELAY=http://127.0.0.1:8080 WORKSPACE=… TOKEN=rtok_… python3 deploy/agent.py
"""
import json
import os
import urllib.request

INBOX = f"{os.environ['RELAY'].rstrip('/')}/workspaces/{os.environ['WORKSPACE']}/inbox"


def call(url, body=None, **headers):
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"} | headers
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"{}")


while True:  # `wait` seconds at most; an empty answer means: nothing yet, ask again
    for entry in call(INBOX + "?wait=25").get("messages", []):
        result = {"text": f"You said: {entry['text']}"}  # here the agent does its work
        call(f"{INBOX}/{entry['id']}/result", result, **{"X-Relay-Lease": entry["lease"]["token"]})
