"""What an official SDK client does against the relay; runs inside the venv of that SDK.

    scenario.py official_1_3_0 RELAY-PORT ADMIN-TOKEN

Every time-out is the SDK's own default (5 s per read), also for the agent that takes 8 s and for the
one that comes only after the call.
"""
import asyncio
import importlib
import pathlib
import sys
import time
import traceback

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / "Rigs"), str(pathlib.Path(__file__).parent)]
from polling_agent import PollingAgent  # noqa: E402
from rigkit.relay import check, new_id  # noqa: E402
from rigkit.wire import Client  # noqa: E402

CHECKS = []


def scenario(function):
    CHECKS.append(function)
    return function


class Stage:
    """One SDK, the relay, a workspace whose agent is there and others whose agents are not."""

    def __init__(self, sdk, port, admin):
        self.sdk, self.port, self.admin = sdk, port, admin
        self.operator = Client(port, {"Authorization": f"Bearer {admin}"})
        self.agents = []
        self.space, self.url, self.agent_token = self.make()
        self.start(self.space, self.agent_token)
        _, _, self.key = self.make()  # another workspace of the same org: a caller

    def make(self, **members):
        made = self.operator.call("POST", "/workspaces", {"name": "Echo", **members})
        check(made.status == 201, str(made))
        space = made.json["id"]
        registered = self.operator.call("POST", "/registry/register", {"id": space})
        check(registered.status == 200, str(registered))
        return space, f"http://127.0.0.1:{self.port}/w/{space}/", registered.json["auth_token"]

    def start(self, space, token, delay=0.0):
        client = Client(self.port, {"Authorization": f"Bearer {token}"}, timeout=60)
        self.agents.append(PollingAgent(client, space, delay))
        self.agents[-1].start()

    async def refused(self, kind, awaitable):
        """The SDK's proper exception for `kind`."""
        name, part = self.sdk.ERRORS[kind]
        try:
            result = await awaitable
        except Exception as error:
            names = [c.__name__ for c in type(error).__mro__]
            check(name in names and part in str(error) + repr(error),
                  f"{kind}: {type(error).__name__}: {error!r}")
            return error
        check(False, f"{kind}: not refused but {result}")


@scenario
async def card(stage):
    found = await stage.sdk.card(stage.url)
    check(found["name"] == "Echo", f"{found}")
    check(found["urls"] and all(url == stage.url for url in found["urls"]), f"{found}")
    check(found["schemes"] == ["relay"] and not found["streaming"], f"{found}")
    check(await stage.sdk.card(stage.url.rstrip("/")) == found, "without the trailing slash")


@scenario
async def every_way_to_show_a_credential(stage):
    for way in ("interceptor", "bearer", "key"):
        for token in (stage.admin, stage.key):
            task = await (await stage.sdk.connect(stage.url, token, way)).send(f"echo {way}")
            check(task["state"] == "completed" and task["text"] == f"you said: {way}", f"{task}")
    for token in (None, "rtok_" + "A" * 43):
        client = await stage.sdk.connect(stage.url, token)
        await stage.refused("unauthorized", client.send("echo me"))


@scenario
async def non_blocking(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    begun = time.monotonic()
    task = await client.send("slow 1 later", blocking=False)
    check(time.monotonic() - begun < 0.9, "a non-blocking send waited")
    check(task["state"] in ("submitted", "working"), f"{task}")
    done = await until(client, task["id"], "completed")
    check(done["text"] == "after 1 s: later" and done["context"] == task["context"], f"{done}")


async def until(client, task, state, limit=10):
    for _ in range(limit * 20):
        found = await client.get(task)
        if found["state"] == state:
            return found
        await asyncio.sleep(0.05)
    check(False, f"not {state} within {limit} s: {found}")


@scenario
async def an_agent_that_takes_8_seconds(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    task = await client.send("slow 8 thought")
    check(task["text"] == "after 8 s: thought", f"{task}")


@scenario
async def an_agent_that_comes_after_the_call(stage):
    space, url, token = stage.make()
    client = await stage.sdk.connect(url, stage.key)
    stage.start(space, token, delay=6.5)
    task = await client.send("echo patience")
    check(task["text"] == "you said: patience", f"{task}")


@scenario
async def a_conversation(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    asked = await client.send("ask dinner")
    check(asked["state"] == "input-required", f"{asked}")
    check("dinner?" in asked["status_text"] + asked["text"], f"{asked}")
    done = await client.send("pasta", task=asked["id"], context=asked["context"])
    check(done["id"] == asked["id"] and done["context"] == asked["context"], f"{done}")
    check(done["state"] == "completed" and "thanks for pasta" in done["text"], f"{done}")
    found = await client.get(asked["id"])
    users = [text for text in found["history"] if text in ("ask dinner", "pasta")]
    check(users == ["ask dinner", "pasta"], f"history {found['history']}")
    check(len((await client.get(asked["id"], history=1))["history"]) == 1, "history of one")
    check((await client.get(asked["id"], history=0))["history"] == [], "no history")
    await stage.refused("ended task", client.send("more", task=asked["id"]))
    await stage.refused("bad params", client.send("echo x", task=asked["id"], context=new_id()))


@scenario
async def a_task_that_goes_on_is_at_work_at_once(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    asked = await client.send("ask lunch")
    check(asked["state"] == "input-required", f"{asked}")
    going = await client.send("soup", task=asked["id"], context=asked["context"], blocking=False)
    check(going["id"] == asked["id"] and going["state"] in ("working", "completed"), f"{going}")
    done = await until(client, asked["id"], "completed")
    check("thanks for soup" in done["text"], f"{done}")


@scenario
async def one_context_for_several_tasks(stage):
    client, context = await stage.sdk.connect(stage.url, stage.key), new_id()
    first = await client.send("echo one", context=context)
    second = await client.send("echo two", context=context)
    check(first["context"] == second["context"] == context, f"{first} {second}")
    check(first["id"] != second["id"], "one task for two messages")


@scenario
async def the_same_text_twice(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    first, second = await asyncio.gather(client.send("echo same"), client.send("echo same"))
    check(first["id"] != second["id"] and first["text"] == second["text"], f"{first} {second}")


@scenario
async def cancelling(stage):
    _, url, _ = stage.make()  # nobody polls here
    client = await stage.sdk.connect(url, stage.key)
    task = await client.send("echo never", blocking=False)
    check((await client.cancel(task["id"]))["state"] == "canceled", "cancel")
    check((await client.get(task["id"]))["state"] == "canceled", "get after cancel")
    await stage.refused("ended task", client.send("more", task=task["id"]))
    waiting = asyncio.create_task(client.send("echo held"))
    await asyncio.sleep(0.5)
    other = await stage.sdk.connect(stage.url, stage.key)
    done = await other.send("echo done")
    await stage.refused("not cancelable", other.cancel(done["id"]))
    check(not waiting.done(), "a blocking send did not wait")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


@scenario
async def a_failed_task(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    task = await client.send("fail sorry")
    check(task["state"] == "failed" and "sorry" in task["status_text"], f"{task}")


@scenario
async def refusals(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    for task in (new_id(), "no-uuid"):
        await stage.refused("task not found", client.get(task))
        await stage.refused("task not found", client.cancel(task))
        await stage.refused("task not found", client.send("echo x", task=task))
    await stage.refused("unsupported", client.stream("echo x"))
    task = await client.send("echo x")
    await stage.refused("no push", client.push(task["id"]))


@scenario
async def an_agent_that_never_comes(stage):
    _, url, _ = stage.make(when_offline="error")
    client = await stage.sdk.connect(url, stage.key, "key", headers={"Prefer": "wait=1"})
    error = await stage.refused("relay", client.send("echo nobody"))
    said = stage.sdk.details(error)
    check("'delivered': 'no'" in said, f"{said}")
    _, url, _ = stage.make()
    client = await stage.sdk.connect(url, stage.key, "key", headers={"Prefer": "wait=4"})
    task = await client.send("echo nobody")
    check(task["state"] == "submitted", f"{task}")


@scenario
async def one_hundred_at_once(stage):
    client = await stage.sdk.connect(stage.url, stage.key)
    sends = [client.send(f"echo {n}") for n in range(100)]
    tasks = await asyncio.gather(*sends)
    check([t["text"] for t in tasks] == [f"you said: {n}" for n in range(100)], "mixed up")


async def run(sdk, port, admin):
    stage, failed = Stage(sdk, port, admin), 0
    for function in CHECKS:
        begun = time.monotonic()
        try:
            await asyncio.wait_for(function(stage), 60)
            print(f"  ok      {function.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception as error:
            failed += 1
            print(f"  FAILED  {function.__name__}: {type(error).__name__}: {error}", flush=True)
            if not type(error).__name__ == "Failed":
                traceback.print_exc(limit=-3)
    for agent in stage.agents:
        agent.ended.set()
    return failed


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    sys.exit(min(asyncio.run(run(module, int(sys.argv[2]), sys.argv[3])), 1))
