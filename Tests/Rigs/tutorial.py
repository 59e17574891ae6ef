"""The tutorial of docs/platform-tutorial.md, run from the page: its commands, word for word.

    tutorial.py

The blocks of the page are taken as they stand; only the relay's URL and the operator's token are put
in place of the page's. All of "In curl" is one bash, the program of "In Python" one process. What each
block prints is compared with what the page, and the platform's clients, expect of it.

A control: the same run against a page whose agent answers nothing must not find an answer.
"""
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

from rigkit.pages import blocks
from rigkit.relay import Relay, check, main, say, scratch

PAGE = "docs/platform-tutorial.md"
URL, TOKEN = "http://127.0.0.1:8080", "choose-your-own-16-bytes"
MARK = "@@ the next block @@"
SECRET, ASKED, SAID = "a-secret-of-the-tutorial", "Hello from a remote agent", "Hello back"


def here(text, relay):
    check(URL in text or TOKEN in text or "${PLATFORM_URL}" in text, "a block names no relay")
    return text.replace(URL, relay.url.rstrip("/")).replace(TOKEN, relay.admin)


def bash(parts, relay, last="", limit=120):
    """What each block of the page prints, and a last command of this test."""
    script = f"\necho; echo '{MARK}'\n".join([here(part, relay) for part in parts] + [last] * bool(last))
    done = subprocess.run(["bash", "-u", "-c", script], capture_output=True, text=True, timeout=limit,
                          check=False)
    check(done.returncode == 0 and not done.stderr, f"bash: {done.returncode} {done.stderr}")
    return [text.strip() for text in done.stdout.split(MARK)]


def compact(text):
    """JSON without white space between its tokens: scripts look for `"status":"queued"`."""
    value = json.loads(text)
    check(json.dumps(value, separators=(",", ":"), ensure_ascii=False) == text, f"not compact: {text}")
    return value


def first_steps(output, relay):
    made, registered, saved, secrets, beat = (compact(text) for text in output[:5])
    space, token = made["id"], registered["auth_token"]
    check(registered["workspace_id"] == space and registered["org_id"], f"register: {registered}")
    check(token.startswith("rtok_") and registered["expires_at"] is None, f"register: {registered}")
    check('"status":"registered"' in output[1] and registered["delivery_mode"] == "poll",
          f"register: {registered}")
    check(saved == {"status": "saved", "key": "API_KEY"}, f"secret: {saved}")
    check(secrets == {"secrets": {"API_KEY": SECRET}}, f"secrets: {secrets}")
    check(beat["status"] == "ok", f"heartbeat: {beat}")
    check(SECRET not in relay.log.read_text(), "the secret is in the log")
    return space, token


def messages(output, space):
    sent, entries, answered, item, shown = (compact(text) for text in output[5:10])
    check(list(sent) == ["jsonrpc", "id", "result", "status", "delivery_mode", "method", "queue_id"],
          f"accepted: {sent}")
    check(sent["id"] == 1 and type(sent["id"]) is int, f"the id: {sent['id']}")
    check((sent["status"], sent["delivery_mode"], sent["method"]) ==
          ("queued", "poll", "message/send") and sent["result"]["status"]["state"] == "submitted",
          f"accepted: {sent}")
    entry = entries["messages"][0]
    check(entry["id"] == sent["queue_id"] and entry["text"] == ASKED, f"the entry: {entry}")
    message = json.loads(entry["request"]["body"])["params"]["message"]
    check(message["messageId"] and message["role"] == "user", f"the message: {message}")
    check(answered["id"] == 2 and answered["result"]["id"] == sent["result"]["id"]
          and answered["result"]["status"]["state"] == "completed", f"the answer: {answered}")
    check(item["status"] == "completed" and item["attempts"] == 1, f"the item: {item}")
    check(item["response_body"]["result"]["parts"] == [{"kind": "text", "text": SAID}],
          f"the item's answer: {item}")
    check(shown["status"] == "online" and shown["url"] == "" and shown["last_heartbeat_at"],
          f"the workspace: {shown}")
    say(f"curl: {len(output)} blocks, workspace {space}")


def revoking(output, relay, space, token):
    """The last two blocks: tokens, and the workspace."""
    with relay.client(token) as agent, relay.client(relay.admin) as admin:
        revoked, removed = output[10:12]
        check("no_route" not in revoked and "method" not in revoked,
              f"DELETE …/tokens is not served: {revoked}")
        check(compact(revoked) == {"status": "revoked", "count": 1}, f"tokens: {revoked}")
        check("method_not_allowed" not in removed, f"DELETE /workspaces/… is not served: {removed}")
        check(compact(removed)["status"] == "removed", f"removed: {removed}")
        beat = agent.call("POST", "/registry/heartbeat", {"workspace_id": space})
        check(beat.status == 401, f"a revoked token: {beat}")
        gone = admin.call("GET", f"/workspaces/{space}")
        check(gone.status == 410, f"a removed workspace: {gone}")
    say("tokens revoked, workspace removed")


def registered_again(parts, relay):
    """After the tokens are revoked, step 2 again: a new token, the old one is dead, messages stay."""
    register, revoke, send = parts[1], parts[10], parts[5]
    take = parts[6]
    output = bash([parts[0], register, send, revoke, register, take], relay,
                  last='echo "$AUTH_TOKEN"')
    first, second = compact(output[1])["auth_token"], compact(output[4])["auth_token"]
    check(first != second and output[6] == second, "the same token again")
    with relay.client(first) as old:
        check(old.call("GET", "/secrets").status == 401, "the old token is alive")
    entry = compact(output[5])["messages"][0]
    check(entry["text"] == ASKED, f"what was there before is there: {entry}")
    say("registered again; the message of before was there")


def python(relay, folder, change=lambda text: text, limit=60):
    """The program of the page; what it prints before it ends by itself."""
    program = blocks(PAGE, "In Python", "python")
    check(len(program) == 1, "one program is expected")
    path = folder / "tutorial_of_the_page.py"
    path.write_text(change(here(program[0], relay)))
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    provide_requests(folder)
    process = subprocess.Popen([sys.executable, str(path)], cwd=folder, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        printed, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        printed, _ = process.communicate()
        return None, printed
    return process.returncode, printed


def provide_requests(folder):
    """As much of `requests` as the page uses, over urllib, where it is not installed."""
    if importlib.util.find_spec("requests"):
        return
    (folder / "requests.py").write_text('''
import json, urllib.error, urllib.parse, urllib.request

class Answer:
    def __init__(self, status, body):
        self.status_code, self.text = status, body.decode()
    def json(self):
        return json.loads(self.text)

def call(method, url, headers=None, params=None, json_body=None, timeout=None):
    if params:
        url += "?" + urllib.parse.urlencode(params)
    data = None if json_body is None else json.dumps(json_body).encode()
    headers = dict(headers or {}, **({} if data is None else {"Content-Type": "application/json"}))
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())

def request(method, url, headers=None, params=None, json=None, timeout=None):
    return call(method, url, headers, params, json, timeout)

def get(url, headers=None, params=None, timeout=None):
    return call("GET", url, headers, params, None, timeout)

def post(url, headers=None, json=None, timeout=None):
    return call("POST", url, headers, None, json, timeout)
''')


def in_python(relay, folder):
    code, printed = python(relay, folder)
    lines = printed.split("\n")
    check(code == 0, f"the program of the page: {code} {printed}")
    check("secrets: {'secrets': {}}" in lines and "status: online" in lines, printed)
    check(f"answer: echo: {ASKED}" in lines, printed)
    say("Python: the message went to the polling agent, its answer to the caller")
    start = time.monotonic()
    silent, printed = python(relay, folder, lambda text: text.replace(
        "threading.Thread(target=work", "threading.Thread(target=print"), limit=5)
    check(silent is None and "answer:" not in printed, f"control: an answer from nobody: {printed}")
    say(f"control: without an agent there is no answer within {time.monotonic() - start:.0f} s")


def run(args):
    folder = scratch("tutorial")
    relay = Relay(folder / "data", env={"ADMIN_TOKEN": "the-operators-token-of-the-rig"}).start()
    in_python(relay, folder)
    parts = blocks(PAGE, "In curl", "sh")
    check(len(parts) == 12, f"{PAGE} has {len(parts)} blocks in curl, this rig knows 12")
    output = bash(parts, relay)
    space, token = first_steps(output, relay)
    messages(output, space)
    revoking(output, relay, space, token)
    registered_again(parts, relay)
    relay.stop()


if __name__ == "__main__":
    main(run)
