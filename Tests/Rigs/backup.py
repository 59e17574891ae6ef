"""A backup under load, kill -9, and what another relay makes of it.

    backup.py [--seed N]

The relay is backed up by the command while callers and agents work, goes on for a while and is
killed. The backup is restored elsewhere. What was acknowledged before the backup began must be
there: messages, answers, cancels, workspaces, tokens; what has no answer is handed out again with
redelivered true, under a lease that was never given before. `check` finds one changed byte in each
kind of file. One workspace then goes to a third relay and works there.
"""
import asyncio
import json
import os
import shutil
import subprocess
import time

from rigkit import rpc
from rigkit.campaign import Campaign
from rigkit.relay import Relay, binary, check, main, new_id, say, scratch

ADMIN = "operator-of-the-backup-rig"
FLAGS = ["--limit", "restartGrace=500"]
LOAD, AFTER = 3.0, 1.0  # seconds of load before the backup, and after its end


def command(*words, status=0):
    """Runs a command of a2a-relay; its output."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("A2A_RELAY_")}
    done = subprocess.run([binary(), *map(str, words)], capture_output=True, text=True,
                          env=env | {"ADMIN_TOKEN": ADMIN}, timeout=60)
    check(done.returncode == status,
          f"a2a-relay {words[0]}: {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    return done.stdout


class BackupUnderLoad(Campaign):
    """One round of load with a backup in it; what had been acknowledged when it began."""

    def __init__(self, relay, folder):
        super().__init__(relay, folder, 1, relay.kill, None, "small logs", pace=0.01)
        self.backup = folder / "backup"

    async def _run(self, _):
        pairs = [self.relay.workspace(f"agent {n}") for n in range(self.workspaces)]
        self.ledger.workspaces |= {identity for identity, _ in pairs}
        self.ledger.tokens |= {token: identity for identity, token in pairs}
        self._begin(pairs)
        try:
            self.world.set_up(self.relay.port)
            await asyncio.sleep(LOAD)
            self.probe = Probe(self.relay)
            self.before = self.acknowledged()
            self.known = set(self.ledger.workspaces), dict(self.ledger.tokens)
            told = await asyncio.to_thread(
                command, "backup", self.backup, "--relay", self.relay.url)
            say(told.strip())
            at_the_end = set(self.acknowledged())
            self.probe.unknown = self.probe.take(self.relay)
            await asyncio.sleep(AFTER)
            self.world.set_down()
            self.crash()
            await asyncio.sleep(0.05)
            self._stopped()
            self.later = {k: v for k, v in self.acknowledged().items() if k not in at_the_end}
        finally:
            self.world.done = True
            for task in self.world.tasks:
                task.cancel()
            await asyncio.gather(*self.world.tasks, return_exceptions=True)

    def acknowledged(self):
        """key → the answers that were accepted, and whether its cancel was acknowledged."""
        return {key: (frozenset(self.ledger.accepted[sent["message"]]), sent["cancelled"])
                for key, sent in self.ledger.sent.items() if sent["outcome"] == "stored"}

    def read(self, relay, keys):
        """key → (status, state, answer) of these at another relay."""
        self.relay = relay
        self.world.done = False
        return asyncio.run(self._read(keys))


def compare(load, found):
    """Every promise about what was acknowledged before the backup began that is broken."""
    broken = []
    for key, (answers, cancelled) in load.before.items():
        status, state, text = found[key]
        if status != 200:
            broken.append(f"lost: {key} is {status} {state}")
        elif answers and text not in answers:
            broken.append(f"lost: the answer {answers} of {key} is {text!r} ({state})")
        elif cancelled is not None and state != "cancelled":
            broken.append(f"lost: the cancel of {key}, which is {state}")
    return broken


def work_off(relay, load, found):
    """Polls all that is unanswered; each comes marked, under a lease that nobody had before."""
    old = {h["lease"] for hands in load.ledger.handed.values() for h in hands}
    unanswered = {load.ledger.sent[key]["message"] for key in load.before
                  if found[key][1] not in ("answered", "cancelled")}
    seen, left = {}, set(unanswered)
    for _ in range(40):
        for token, workspace in load.known[1].items():
            with relay.client(token) as agent:
                path = f"/workspaces/{workspace}/inbox"
                while (answer := agent.call("GET", path + "?wait=0&max=32")).status == 200:
                    for entry in answer.json["messages"]:
                        lease = entry["lease"]["token"]
                        check(entry["redelivered"], f"handed out as new: {entry}")
                        check(lease not in old, f"a lease from before: {entry}")
                        seen[entry["id"]] = token
                        posted = agent.call("POST", f"{path}/{entry['id']}/result",
                                            {"text": "after the restore"},
                                            {"X-Relay-Lease": lease})
                        check(posted.status == 200, f"the result of {entry['id']}: {posted}")
                        left.discard(entry["id"])
        if not left:
            break
        time.sleep(0.5)
    check(not left, f"never handed out again: {len(left)} of {len(unanswered)}, {sorted(left)[:3]}")
    return len(unanswered)


class Probe:
    """Two messages of one workspace: one leased before the backup, the other only after it."""

    def __init__(self, relay):
        self.workspace, self.token = relay.workspace("probe")
        self.path = f"/workspaces/{self.workspace}/inbox"
        for _ in range(2):
            body, headers = rpc.send(new_id(), blocking=False)
            with relay.client(ADMIN) as caller:
                sent = caller.call("POST", f"/w/{self.workspace}/", body, headers)
            check(sent.status == 200, f"a send: {sent}")
        self.known = self.take(relay)

    def take(self, relay):
        with relay.client(self.token) as agent:
            answer = agent.call("GET", self.path + "?wait=5&lease=60")
        check(answer.status == 200, f"no entry: {answer}")
        return answer.json["messages"][0]

    def say(self, relay, verb, entry, body, status):
        with relay.client(self.token) as agent:
            answer = agent.call("POST", f"{self.path}/{entry['id']}/{verb}", body,
                                {"X-Relay-Lease": entry["lease"]["token"]})
        check(answer.status == status, f"{verb} of {entry}: {answer}, not {status}")

    def look(self, relay):
        """The lease that the backup knows is good, the one given after it is not."""
        self.say(relay, "extend", self.known, {}, 200)
        self.say(relay, "extend", self.unknown, {}, 409)
        again = self.take(relay)
        check(again["id"] == self.unknown["id"] and again["redelivered"], f"not marked: {again}")
        check(again["lease"] != self.unknown["lease"], f"a lease was given twice: {again}")
        self.say(relay, "extend", self.unknown, {}, 409)
        self.say(relay, "result", self.known, {"text": "known"}, 200)
        self.say(relay, "result", again, {"text": "again"}, 200)


def flips(backup, folder):
    """One changed byte in each kind of file is found, in the file where it is."""
    files = [backup / name for name in ("manifest.json", "manifest.json.sha256", "relay.db")]
    files.append(next((backup / "workspaces").rglob("*.db")))
    for number, path in enumerate(files):
        damaged = folder / f"damaged-{number}"
        shutil.copytree(backup, damaged)
        target = damaged / path.relative_to(backup)
        text = bytearray(target.read_bytes())
        text[len(text) // 2] ^= 1
        target.write_bytes(text)
        found = json.loads(command("check", damaged, "--json", status=1))["findings"]
        check(len(found) == 1 and path.name.removesuffix(".sha256") in found[0]["path"],
              f"{path.name}: {found}")
        command("restore", damaged, "--data", folder / "never", status=1)
        check(not (folder / "never").exists(), "a damaged backup was restored")
        shutil.rmtree(damaged)
    return len(files)


def move(relay, folder, load):
    """One workspace goes to another relay, with a message that waits and one that is answered."""
    token, workspace = next(iter(load.known[1].items()))
    body, headers = rpc.send(new_id(), blocking=False)
    with relay.client(ADMIN) as caller:
        sent = caller.call("POST", f"/w/{workspace}/", body, headers)
    message = sent.headers["x-relay-message-id"]
    answered = next(key for key, sent in load.ledger.sent.items()
                    if key in load.before and sent["workspace"] == workspace
                    and load.before[key][0])
    say(command("export", workspace, folder / "export", "--relay", relay.url).strip())
    command("check", folder / "export")
    third = Relay(folder / "third", args=FLAGS, env={"ADMIN_TOKEN": ADMIN}).start()
    command("import", folder / "export", "--relay", third.url)
    command("import", folder / "export", "--relay", third.url, status=1)
    with third.client(token) as agent:
        path = f"/workspaces/{workspace}/inbox"
        # Others of the load may wait before it.
        entries = agent.call("GET", path + "?wait=5&max=128").json["messages"]
        check(all(entry["redelivered"] for entry in entries), f"not marked: {entries}")
        entry = next((entry for entry in entries if entry["id"] == message), None)
        check(entry, f"{message} is not handed out after the import: {len(entries)} others are")
        posted = agent.call("POST", f"{path}/{message}/result", {"text": "there"},
                            {"X-Relay-Lease": entry["lease"]["token"]})
        check(posted.status == 200, f"its result: {posted}")
    with third.client(ADMIN) as caller:
        there = caller.call("GET", "/messages/" + load.ledger.sent[answered]["message"])
        check(there.status in (200, 404), f"an old message: {there}")
        if load.ledger.sent[answered]["token"] == ADMIN:
            text = rpc.text_of(there.json.get("task") or {})
            check(text in load.before[answered][0], f"its answer: {there}")
    third.stop()
    command("check", third.data)


def run(_):
    folder = scratch("backup")
    relay = Relay(folder / "data", args=FLAGS, env={"ADMIN_TOKEN": ADMIN}).start()
    load = BackupUnderLoad(relay, folder)
    load.run()
    load.tell()
    check(len(load.before) > 100, f"too little load: {len(load.before)}")
    say(command("check", load.backup).strip())
    say(command("check", relay.data).strip())
    say(f"a changed byte was found in each of {flips(load.backup, folder)} files")

    say(command("restore", load.backup, "--data", folder / "restored").strip())
    command("restore", load.backup, "--data", folder / "restored", status=1)
    other = Relay(folder / "restored", args=FLAGS, env={"ADMIN_TOKEN": ADMIN}).start()
    found = load.read(other, list(load.before) + list(load.later))
    broken = compare(load, found)
    check(not broken, f"{len(broken)} broken: {broken[:3]}")
    gone = [key for key in load.later if found[key][0] == 404]
    check(gone, "the control: what was sent after the backup should not be in it")
    with other.client(ADMIN) as admin:
        for identity in load.known[0]:
            answer = admin.call("GET", f"/workspaces/{identity}")
            check(answer.status == 200, f"lost: workspace {identity} is {answer}")
    for token, identity in load.known[1].items():
        with other.client(token) as agent:
            answer = agent.call("POST", "/registry/heartbeat", {"workspace_id": identity})
            check(answer.status == 200, f"lost: a token of {identity}: {answer}")
    load.probe.look(other)
    again = work_off(other, load, found)
    ended = load.read(other, list(load.before))
    open_ones = [k for k, (_, state, _) in ended.items() if state not in ("answered", "cancelled")]
    check(not open_ones, f"never ended: {open_ones[:3]}")
    say(f"{len(load.before)} messages acknowledged before the backup are there, {again} of them were "
        f"handed out again; {len(gone)} of {len(load.later)} sent after it are not in it")
    move(other, folder, load)
    other.stop()
    say(command("check", other.data).strip())


if __name__ == "__main__":
    main(run)
