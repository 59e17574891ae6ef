"""10,000 workspaces on 32 open files: a fast start, and every call through random ones is answered.

    manyfiles.py [--workspaces N]

Workspaces are made until there are N, or for a minute. Then the relay is stopped and started, and
killed and started, and 500 random workspaces get a message each, which their agents answer while 24
of them are at work at once. No more files may be open than the limit says.
"""
import asyncio
import os
import random
import time

import rpc
from asyncwire import Wire, World
from relaykit import Relay, check, main, new_id, say, scratch

FILES, USED, AT_ONCE = 32, 500, 24
MAKING_MAX, START_MAX = 60, 2.0


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
    made, end = [], time.monotonic() + MAKING_MAX

    async def some():
        wire = Wire(world, admin)
        while len(made) < wanted and time.monotonic() < end:
            identity = new_id()
            made.append(identity)
            answer = await wire.call("POST", "/workspaces", {"id": identity, "name": "one of many"})
            check(answer.status == 201, f"creating a workspace: {answer}")
        wire.close()

    await asyncio.gather(*(some() for _ in range(16)))
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
    made = asyncio.run(make(world, relay.admin, args.workspaces))
    each = (time.monotonic() - begun) * 1000 / len(made)
    say(f"{len(made)} workspaces made, {each:.1f} ms each; {open_files(relay)} descriptors")
    check(len(made) >= min(args.workspaces, 2000), "too few workspaces were made")
    tokens = asyncio.run(agents(world, relay.admin, random.sample(made, min(USED, len(made)))))

    relay.stop()
    start(relay, "SIGTERM")
    world.set_up(relay.port)
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
