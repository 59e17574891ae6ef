"""10,000 workspaces on 32 open files: a fast start, and every call through random ones is answered.

    manyfiles.py [--workspaces N]

Some workspaces are made through the relay, the others while it is stopped, as copies of an empty one
with rows of their own. Then it is started, killed and started, and 500 random workspaces get a
message each, which their agents answer while 24 of them are at work at once. No more files may be
open than the limit says.
"""
import asyncio
import os
import random
import shutil
import sqlite3
import time
import uuid

from rigkit import rpc
from rigkit.asyncwire import Wire, World
from rigkit.relay import Relay, check, main, new_id, say, scratch

FILES, USED, AT_ONCE = 32, 500, 24
MADE, START_MAX = 200, 2.0


def open_files(relay):
    """Descriptors of workspaces' files."""
    folder, count = f"/proc/{relay.process.pid}/fd", 0
    for name in os.listdir(folder):
        try:
            count += "/workspaces/" in os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            pass
    return count


def memory(relay):
    """Resident MiB."""
    with open(f"/proc/{relay.process.pid}/statm", encoding="ascii") as text:
        return int(text.read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20


def start(relay, after):
    begun = time.monotonic()
    relay.start()
    took = time.monotonic() - begun
    say(f"started after {after} in {took:.2f} s, {memory(relay)} MiB")
    check(took < START_MAX, f"a start after {after} took {took:.2f} s")


async def make(world, admin, wanted):
    """Workspaces, over 16 connections at once."""
    made = [new_id() for _ in range(wanted)]
    left = list(made)

    async def some():
        wire = Wire(world, admin)
        while left:
            body = {"id": left.pop(), "name": "one of many"}
            answer = await wire.call("POST", "/workspaces", body)
            check(answer.status == 201, f"creating a workspace: {answer}")
        wire.close()

    await asyncio.gather(*(some() for _ in range(16)))
    return made


def copy(data, original, wanted):
    """The same while the relay is stopped: files like that of `original`, and rows like its own."""
    def path(identity):
        return data / "workspaces" / identity[:2] / f"{identity}.db"

    made = [new_id() for _ in range(wanted)]
    registry = sqlite3.connect(data / "relay.db")
    names = [row[1] for row in registry.execute("PRAGMA table_info(workspace)")]
    columns = ", ".join(name for name in names if name != "id")
    for identity in made:
        path(identity).parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(path(original), path(identity))
        own = sqlite3.connect(path(identity))
        with own:
            own.execute("UPDATE meta SET value = ? WHERE key = 'workspace'", (identity,))
        own.close()
        path(identity).chmod(0o600)
        raw = uuid.UUID(identity).bytes
        registry.execute(f"INSERT INTO workspace(id, {columns}) SELECT ?, {columns} FROM workspace "
                         "WHERE id = ?", (raw, uuid.UUID(original).bytes))
        registry.execute("INSERT INTO pulse(id, next_wake_at) VALUES(?, ?)", (raw, 2**63 - 1))
    registry.commit()
    registry.close()
    # The start syncs the file system once: it is not to be measured by what was just copied here.
    os.sync()
    return made


async def agents(world, admin, workspaces):
    wire, tokens = Wire(world, admin), {}
    for identity in workspaces:
        answer = await wire.call("POST", "/registry/register", {"id": identity})
        check(answer.status == 200, f"registering: {answer}")
        tokens[identity] = answer.json["auth_token"]
    wire.close()
    return tokens


async def use(world, admin, tokens):
    """Each workspace gets a message, its agent answers it, and its caller reads the answer."""
    left = list(tokens)

    async def some():
        caller = Wire(world, admin)
        while left:
            identity = left.pop()
            agent = Wire(world, tokens[identity])
            poll = asyncio.create_task(agent.call("GET", f"/workspaces/{identity}/inbox?wait=25"))
            text = new_id()
            body, headers = rpc.send(text, blocking=True)
            call = asyncio.create_task(caller.call("POST", f"/w/{identity}/", body, headers))
            entry = (await poll).json["messages"][0]
            path = f"/workspaces/{identity}/inbox/{entry['id']}/result"
            lease = {"X-Relay-Lease": entry["lease"]["token"]}
            answer = await agent.call("POST", path, {"text": "done " + text}, lease)
            check(answer.status == 200, f"a result was not taken: {answer}")
            task = rpc.task_of((await call).json)
            check(task and rpc.text_of(task) == "done " + text, f"no answer: {task}")
            agent.close()
        caller.close()

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


def run(args):
    relay = Relay(scratch("manyfiles") / "data", args=["--limit", f"openWorkspacesMax={FILES}"])
    relay.start()
    world = World()
    world.set_up(relay.port)
    begun = time.monotonic()
    made = asyncio.run(make(world, relay.admin, min(MADE, args.workspaces)))
    say(f"{len(made)} workspaces made, {(time.monotonic() - begun) * 1000 / len(made):.1f} ms each")
    relay.stop()
    made += copy(relay.data, made[0], args.workspaces - len(made))

    start(relay, "SIGTERM")
    world.set_up(relay.port)
    tokens = asyncio.run(agents(world, relay.admin, random.sample(made, min(USED, len(made)))))
    begun = time.monotonic()
    asyncio.run(use(world, relay.admin, tokens))
    count = open_files(relay)
    say(f"{len(tokens)} messages through as many workspaces answered in "
        f"{time.monotonic() - begun:.1f} s; {count} descriptors, {memory(relay)} MiB")
    check(0 < count <= 3 * FILES, f"{count} descriptors of workspaces' files are open")

    relay.kill()
    start(relay, "kill -9")
    world.set_up(relay.port)
    asyncio.run(use(world, relay.admin, dict(random.sample(sorted(tokens.items()), 100))))
    relay.stop()


if __name__ == "__main__":
    main(run, workspaces=10000)
