"""Every command of an operator, typed as a person would, on a real relay with real messages.

Looks at the text, the JSON and the exit status; runs the examples of docs/commands.md as they stand.
"""
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

from rigkit.relay import ROOT, Failed, Relay, binary, check, main, say, scratch
from rigkit.wire import request_bytes

USAGE, REFUSED, UNREACHABLE, NO_CREDENTIAL = 64, 1, 69, 77


class Operator:
    """A shell in which the relay's address and data directory are set."""

    def __init__(self, relay, folder):
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("A2A_RELAY_") and k != "ADMIN_TOKEN"}
        self.env |= {"A2A_RELAY_URL": relay.url, "A2A_RELAY_DATA": str(relay.data),
                     "PATH": f"{pathlib.Path(binary()).parent}:{os.environ['PATH']}"}
        self.run_count = 0

    def type(self, *words, status=0, **env):
        """(standard output, standard error) of one command."""
        self.run_count += 1
        done = subprocess.run(["a2a-relay", *words], env=self.env | env, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        line = " ".join(("a2a-relay",) + words)
        check(done.returncode == status,
              f"{line}: exit {done.returncode}, not {status}; {done.stdout} {done.stderr}")
        if status:
            check(done.stderr.startswith("a2a-relay: ") or not done.stderr, f"{line}: {done.stderr}")
        return done.stdout, done.stderr

    def json(self, *words, **options):
        return json.loads(self.type(*words, "--json", **options)[0])

    def shell(self, script, **env):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=self.env | env,
                              cwd=self.folder, capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}")


def call(name, blocking=False):
    return {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {
        "message": {"kind": "message", "role": "user", "messageId": name,
                    "parts": [{"kind": "text", "text": f"text of {name}"}]},
        "configuration": {"blocking": blocking}}}


def send(relay, identity, name):
    with relay.client(relay.admin) as caller:
        answer = caller.call("POST", f"/w/{identity}/", call(name))
        check(answer.status == 200 and "result" in answer.json, f"sending {name}: {answer}")
        return answer.json["result"]["id"]


def send_and_leave(relay, identity, name):
    """A caller that waits for its answer, and goes before it has had a reply."""
    with relay.client(relay.admin) as caller, relay.client(relay.admin) as admin:
        caller.connect()
        caller.socket.sendall(request_bytes(
            "POST", f"/w/{identity}/", call(name, blocking=True), caller.headers))
        for _ in range(500):
            if admin.call("GET", "/admin/status").json["held_callers"] == 1:
                break
        else:
            raise Failed("the caller is not held")
        # A reset: a half-closed connection may still read.
        caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        caller.reader.close()
        caller.close()
        for _ in range(500):
            if admin.call("GET", "/admin/status").json["held_callers"] == 0:
                return
    raise Failed("the caller is held though it has gone")


def take(relay, identity, token, result=None):
    """Takes an entry; answers it, or gives it back, which with one attempt makes it dead."""
    with relay.client(token) as agent:
        entry = agent.call("GET", f"/workspaces/{identity}/inbox?wait=10").json["messages"][0]
        verb, body = ("result", {"text": result}) if result else ("release", {"delay_seconds": 0})
        answer = agent.call("POST", f"/workspaces/{identity}/inbox/{entry['id']}/{verb}", body,
                            {"X-Relay-Lease": entry["lease"]["token"]})
        check(answer.status == 200, f"{verb}: {answer}")
        return entry["id"]


def wrong_lines(operator):
    for words, status, told in [
            (["statsu"], USAGE, "the commands are"), (["queue"], USAGE, "queue ID"),
            (["queue", "x"], USAGE, "not the id of a workspace"), (["status", "--x"], USAGE, "unknown flag"),
            (["status", "--dry-run"], USAGE, "it takes --relay"),
            (["redrive"], USAGE, "--workspace"), (["cancel", "x"], USAGE, "not the id of a message"),
            (["status", "--relay", "relay.example"], USAGE, "http://"),
            (["status", "--relay", "http://127.0.0.1:1"], UNREACHABLE, "no relay can be reached"),
            (["status", "--token-file", "nothing"], NO_CREDENTIAL, "nothing"),
            (["help", "nothing"], USAGE, "unknown command")]:
        check(told in operator.type(*words, status=status)[1], f"{words} does not say {told}")
    _, error = operator.type("status", status=NO_CREDENTIAL, A2A_RELAY_TOKEN="wrong-but-long-enough")
    check("unauthorized" in error and "--token-file" in error, error)
    overview, _ = operator.type("--help")
    commands = set(re.findall(r"^  ([a-z]+) ", overview.split("Commands (", 1)[1], re.M))
    check({"status", "doctor", "explain", "redrive", "purge", "jobs"} <= commands, str(commands))
    for command in commands - {"serve", "health"}:
        page, _ = operator.type("help", command)
        check(f"a2a-relay {command}" in page and "--json" in page, page)
        check(operator.type(command, "--help")[0] == page, f"{command} --help")


def unread(operator):
    """What cannot be printed is no success, above all where a secret is shown once."""
    identity = operator.json("workspaces", "create", "printed nowhere")["id"]
    reading, writing = os.pipe()
    os.close(reading)
    with open("/dev/full", "wb") as full, os.fdopen(writing, "wb") as broken:
        for words, told in [(["--help"], "lost"), (["--version"], "lost"),
                            (["help", "status"], "lost"), (["status"], "lost"),
                            (["workspaces", "--json"], "lost"), (["doctor"], "lost"),
                            (["pause", identity], "the relay has done"),
                            (["resume", identity, "--json"], "the relay has done"),
                            (["tokens", identity, "add"], f"tokens {identity} revoke"),
                            (["tokens", identity, "rotate", "--json"], f"tokens {identity} revoke"),
                            (["keys", "add", "--scopes", "read"], "keys revoke")]:
            for output, start in [(full, []), (broken, []), (None, ["bash", "-c", '"$@" >&-', "-"])]:
                done = subprocess.run([*start, "a2a-relay", *words], env=operator.env, stdout=output,
                                      stderr=subprocess.PIPE, text=True, timeout=60)
                check(done.returncode == 74 and "lost" in done.stderr and told in done.stderr,
                      f"{words} into {output}: {done.returncode} {done.stderr}")
                revoke = re.search(r"a2a-relay ((tokens \S+|keys) revoke \w+)", done.stderr)
                if revoke:
                    operator.type(*revoke.group(1).split())
    operator.type("workspaces", "purge", identity, "--yes")


def closed_streams(folder):
    """A stream that was closed at the start is opened on nothing: no file gets its number."""
    for closed in range(8):
        numbers = [number for number in range(3) if closed & 1 << number]
        data = folder / f"closed-{closed}"
        redirections = " ".join(f"{number}>&-" for number in numbers)
        relay = subprocess.Popen(
            ["sh", "-c", f'exec "$@" {redirections}', "-", binary(), "serve", "--listen",
             "127.0.0.1:0", "--data", str(data)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(1000):
                opened = open_files(relay.pid)
                if str(data / "relay.db") in opened.values():
                    break
                check(relay.poll() is None, f"without {numbers} the relay ended: {relay.poll()}")
                time.sleep(0.01)
            else:
                raise Failed(f"without {numbers} the relay does not start: {opened}")
            for number in "012":
                check(opened.get(number) == "/dev/null", f"without {numbers}: {opened}")
        finally:
            relay.kill()
            relay.wait()


def open_files(pid):
    """What each descriptor of a process is open on; one that is closed meanwhile is left out."""
    opened = {}
    for fd in os.scandir(f"/proc/{pid}/fd"):
        try:
            opened[fd.name] = os.readlink(fd)
        except FileNotFoundError:
            pass
    return opened


def unfetched(operator, relay):
    """What doctor says of messages that nobody fetches: it depends on why."""
    identity = operator.json("workspaces", "create", "unfetched")["id"]
    send(relay, identity, "waits for an agent")
    expected = "no live token: no agent can fetch them → try: a2a-relay tokens " + identity
    check(expected in operator.type("doctor", status=1)[0], "doctor of a workspace without a token")
    token = operator.type("tokens", identity, "add")[0].splitlines()[-1]
    check("its agent is away → try: start its agent" in operator.type("doctor", status=1)[0], "away")
    with relay.client(token) as agent:
        check(agent.call("GET", f"/workspaces/{identity}/state").status == 200, "a sign of life")
    text, _ = operator.type("doctor", status=1)
    check(re.search(rf"agent, seen \S+ ago, does not fetch them → try: .*/{identity}/inbox", text), text)
    operator.type("pause", identity)
    expected = f"it is paused → try: a2a-relay resume {identity}"
    check(expected in operator.type("doctor", status=1)[0], "doctor of a paused workspace")
    operator.type("resume", identity)
    operator.type("tokens", identity, "revoke", "--all")
    check("no live token" in operator.type("doctor", status=1)[0], "doctor after the last token")
    operator.type("workspaces", "purge", identity, "--yes")


def looking(operator, relay, identity, queued, dead):
    text, _ = operator.type("status")
    check("ready, up" in text and "1 dead" in text and "0 failed" in text, text)
    check(operator.json("status")["messages"]["dead"] == 1, "status --json")
    text, _ = operator.type("workspaces")
    check(identity in text and text.splitlines()[0].startswith("ID "), text)
    check("�[31mred" in text and "\x1b" not in text, "a name with an escape sequence")
    check(operator.json("workspaces")["workspaces"][0]["name"] == "\x1b[31mred", "--json is as it is")
    text, _ = operator.type("queue", identity)
    check(re.search(r"^unanswered +1$", text, re.M) and re.search(r"^dead +1$", text, re.M), text)
    text, _ = operator.type("messages", identity)
    check(queued in text and dead in text, text)
    text, _ = operator.type("messages", identity, "--state", "dead")
    check(queued not in text and dead in text, text)
    check(len(operator.json("messages", identity, "--since", "1h")["messages"]) == 3, "--since")
    check(operator.json("messages", identity, "--until", "1h")["messages"] == [], "--until")
    text, _ = operator.type("explain", dead)
    for event in ["stored", "handed_out", "released", "dead"]:
        check(event in text, f"{event} is missing: {text}")
    check("text of " not in text, "a body without --bodies")
    check("text of dies" in operator.type("explain", dead, "--bodies")[0], "--bodies")
    operator.type("messages", identity, "--state", "none", status=REFUSED)
    _, error = operator.type("explain", "0" * 8 + "-0000-8000-8001-000000000001", status=REFUSED)
    check("not_found" in error, error)
    text, _ = operator.type("doctor", status=1)
    check(f"dead messages of the last day: 1 → try: a2a-relay messages {identity}" in text, text)
    check("a relay holds" in text and "the clocks agree" in text, text)
    found = operator.json("doctor", status=1)
    check(found["problems"] == len([c for c in found["checks"] if "try" in c]), str(found))


def doing(operator, relay, identity, token, queued, dead):
    check("paused" in operator.type("pause", identity, "--refuse")[0], "pause")
    check(operator.json("queue", identity)["sends"] == "refuse", "pause --refuse")
    check("active" in operator.type("resume", identity)[0], "resume")
    _, error = operator.type("redrive", queued, status=REFUSED)
    check("a2a-relay: " in error, error)
    text, _ = operator.type("redrive", dead)
    check(f"{dead} redriven" in text, text)
    for _ in range(2):
        take(relay, identity, token)
    check("2 messages are meant" in operator.type(
        "redrive", "--workspace", identity, "--dry-run")[0], "redrive --dry-run")
    text, _ = operator.type("redrive", "--workspace", identity, "--wait", "--rate", "1000")
    check("done" in text, text)
    job = operator.json("jobs", identity)["jobs"][0]["job"]
    check("redrive: done" in operator.type("jobs", identity, str(job))[0], "jobs ID JOB")
    again = operator.json("messages", identity, "--state", "queued")["messages"]
    check(len(again) >= 1, f"nothing came back: {again}")
    check("cancelled" in operator.type("cancel", again[0]["id"])[0], "cancel")
    operator.type("cancel", again[0]["id"], status=REFUSED)
    text, _ = operator.type("purge", "--workspace", identity, "--state", "cancelled")
    check("nothing was purged: add --yes" in text, text)
    check(len(operator.json("messages", identity, "--state", "cancelled")["messages"]) == 1, "purged")
    operator.type("purge", "--workspace", identity, "--state", "cancelled", "--yes", "--wait")
    check(operator.json("messages", identity, "--state", "cancelled")["messages"] == [], "purge")


def credentials(operator, relay, identity):
    token = operator.type("tokens", identity, "add", "--name", "laptop")[0].splitlines()[-1]
    with relay.client(token) as agent:
        check(agent.call("GET", f"/workspaces/{identity}/inbox?wait=0").status in (200, 204), "token")
    listed, _ = operator.type("tokens", identity)
    check("laptop" in listed and token not in listed, listed)
    own = [t for t in operator.json("tokens", identity)["tokens"] if t["name"] == "laptop"][0]["id"]
    operator.type("tokens", identity, "revoke", status=USAGE)
    operator.type("tokens", identity, "revoke", own, "--all", status=USAGE)
    with relay.client(token) as agent:
        check(agent.call("GET", f"/workspaces/{identity}/inbox?wait=0").status in (200, 204), "alive")
    operator.type("tokens", identity, "revoke", own)
    with relay.client(token) as agent:
        check(agent.call("GET", f"/workspaces/{identity}/inbox?wait=0").status == 401, "revoked")
    operator.type("orgs", "create", "initech", "--name", "Initech")
    check("initech" in operator.type("orgs")[0], "orgs")
    keys = {scope: operator.type("keys", "add", "--org", "default", "--scopes", scope)[0]
            .splitlines()[-1] for scope in ("read", "send")}
    operator.type("queue", identity, A2A_RELAY_TOKEN=keys["read"])
    operator.type("pause", identity, status=REFUSED, A2A_RELAY_TOKEN=keys["read"])
    operator.type("queue", identity, status=REFUSED, A2A_RELAY_TOKEN=keys["send"])
    for scope, status in [("read", 200), ("send", 404)]:
        with relay.client(keys[scope]) as client:
            check(client.call("GET", "/metrics").status == status, f"/metrics with {scope}")
    text, _ = operator.type("audit")
    check(identity in text and "ACTOR" in text, text)
    check(all(key not in text for key in keys.values()), "the audit holds a secret")


def ends(operator, relay, identity):
    check("undo: a2a-relay workspaces restore" in operator.type(
        "workspaces", "remove", identity)[0], "remove")
    _, error = operator.type("queue", identity, status=REFUSED)
    check("restore" in error, error)
    check(identity in operator.type("workspaces", "--removed")[0], "what can be restored")
    operator.type("workspaces", "restore", identity)
    check(identity not in operator.type("workspaces", "--removed")[0], "it is back")
    operator.type("workspaces", "purge", identity, status=USAGE)
    operator.type("workspaces", "purge", identity, "--yes")
    operator.type("workspaces", "show", identity, status=REFUSED)


def examples(operator, relay):
    page = (ROOT / "docs" / "commands.md").read_text()
    section = page.split("## The command line", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.S)
    check(len(blocks) >= 5, "docs/commands.md has lost its examples")
    identity, token = relay.workspace("example")
    dead = send(relay, identity, "dies")
    take(relay, identity, token)
    names = {"ID": identity, "MESSAGE": send(relay, identity, "waits"), "DEAD": dead}
    for block in blocks:
        operator.shell(block, **names)
    say(f"{sum(block.count('a2a-relay ') for block in blocks)} examples of docs/commands.md run")


def archives(operator, relay, identity):
    """Commands about files tell programs in JSON, too, through a relay and without one."""
    folder = relay.data.parent
    told = operator.json("backup", str(folder / "all"))
    check(told["state"] == "done" and told["files_done"] == 2 and told["messages"] == 3
          and told["unreadable"] == [], str(told))
    check(operator.json("check", str(folder / "all"))["findings"] == [], "check --json")
    told = operator.json("export", identity, str(folder / "one"))
    check(told["dir"] == str(folder / "one") and told["messages"] == 3, str(told))
    unknown = "00000000-0000-4000-8000-000000000000"
    _, error = operator.type("export", unknown, str(folder / "none"), status=1)
    check(f"no workspace {unknown}" in error, error)
    new = str(folder / "restored")
    told = operator.json("restore", str(folder / "all"), "--data", new)
    check(told["workspaces"] == 1 and told["messages"] == 3 and told["unreadable"] == [], str(told))
    told = operator.json("export", identity, str(folder / "again"), "--data", new)
    check(told["messages"] == 3, str(told))


def run(_):
    path = scratch("operator")
    relay = Relay(path / "data", args=["--limit", "attempts=1"]).start()
    operator = Operator(relay, path)
    wrong_lines(operator)
    unread(operator)
    closed_streams(path)
    unfetched(operator, relay)
    text, _ = operator.type("doctor")
    check("no problem found" in text and "0 workspaces, none with old messages" in text, text)
    check("no relay reads" not in text, text)
    leftover = relay.data / "relay.db.v1"
    leftover.write_bytes(b"x")
    text, _ = operator.type("doctor")
    check("1 files of before a migration or set aside" in text and f"{leftover};" in text, text)
    operator.shell(text[text.index("find "):text.index("-delete")] + "-delete")
    check(not leftover.exists(), "the command of doctor removes it")
    made = operator.json("workspaces", "create", "\x1b[31mred")
    identity = made["id"]
    token = operator.type("tokens", identity, "add")[0].splitlines()[-1]
    operator.type("workspaces", "set", identity, "--when-offline", "error")
    check("error" in operator.type("workspaces", "show", identity)[0], "set")
    operator.type("workspaces", "set", identity, "--when-offline", "task")
    answered = send(relay, identity, "is answered")
    check(take(relay, identity, token, "done") == answered, "an answer")
    send_and_leave(relay, identity, "dies")
    dead = take(relay, identity, token)
    queued = send(relay, identity, "waits")
    looking(operator, relay, identity, queued, dead)
    archives(operator, relay, identity)
    doing(operator, relay, identity, token, queued, dead)
    credentials(operator, relay, identity)
    examples(operator, relay)
    ends(operator, relay, identity)
    say(f"{operator.run_count} commands typed")
    relay.stop()
    text, _ = operator.type("doctor", status=1)
    check("no relay runs on" in text and "nobody listens there" in text, text)


if __name__ == "__main__":
    main(run)
