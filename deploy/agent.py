#!/usr/bin/env python3
"""A whole A2A agent: no open port, only outgoing HTTP. Asks for work, does it, posts the result.

RELAY=http://127.0.0.1:8080 WORKSPACE=… TOKEN=rtok_… python3 deploy/agent.py

It outlives restarts of the relay, and ends with a message when its token counts no more.
"""
import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

INBOX = f"{os.environ['RELAY'].rstrip('/')}/workspaces/{os.environ['WORKSPACE']}/inbox"


def call(path, body=None, **headers):
    """Status and answer; asks again until they are final: a result is never dropped on the way."""
    headers["Authorization"] = f"Bearer {os.environ['TOKEN']}"
    data, pause = json.dumps(body).encode() if body else None, 1
    while True:
        try:
            request = urllib.request.Request(INBOX + path, data, headers)
            with urllib.request.urlopen(request, timeout=70) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            problem = f"{error.code} {error.read().decode(errors='replace')}"
            if error.code in (401, 410):
                sys.exit(f"the relay does not want this agent any more: {problem}")
            if error.code < 500 and error.code not in (408, 429):
                return error.code, problem
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = error  # it restarts, or the answer was cut off
        print(f"trying again: {problem}", file=sys.stderr)
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, 30)


while True:  # `wait` seconds at most; 204 means: nothing yet, ask again
    status, found = call("?wait=25")
    if status not in (200, 204):
        sys.exit(f"the poll was refused: {found}")
    for entry in found.get("messages", []):
        result = {"text": f"You said: {entry['text']}"}  # here the agent does its work
        lease = {"X-Relay-Lease": entry["lease"]["token"]}
        status, told = call(f"/{entry['id']}/result", result, **lease)
        if status != 200:  # 409: another has answered, or nobody wants it any more
            print(f"the result of {entry['id']} was refused: {told}", file=sys.stderr)
