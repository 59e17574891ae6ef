"""The load: callers and agents of every temper, on asyncio, against a relay that may die any time.

Whatever a caller or an agent hears goes into the ledger before anything else happens.
"""
import asyncio
import json
import random

from . import rpc
from .asyncwire import Lost, Wire
from .relay import new_id

TASK_NOT_CANCELABLE, TASK_NOT_FOUND = -32002, -32001


class Caller:
    """Sends one message after the other; after a lost answer mostly repeats the very same call."""

    HELD_MAX = 8  # blocking sends of one caller that wait at the same time

    def __init__(self, world, ledger, name, workspaces, token, scheme, pace):
        self.world, self.ledger, self.name = world, ledger, name
        self.workspaces, self.pace = workspaces, pace
        self.token, self.scheme = token, scheme
        self.held = set()

    async def run(self):
        number, wire = 0, Wire(self.world, self.token, self.scheme)
        while not self.world.done:
            if not self.world.sending or len(self.ledger.open) > 1500:
                await asyncio.sleep(0.02)
                continue
            number += 1
            key = f"{self.name}-{number}"
            if random.random() < 0.3 and len(self.held) < self.HELD_MAX:
                self.held.add(task := asyncio.create_task(self.blocking(key)))
                task.add_done_callback(self.held.discard)
            else:
                await self.one(wire, key, blocking=False)
            await asyncio.sleep(random.random() * self.pace)

    async def blocking(self, key):
        wire = Wire(self.world, self.token, self.scheme)
        try:
            await self.one(wire, key, blocking=True)
        finally:
            wire.close()

    async def one(self, wire, key, blocking):
        dialect = random.choice(["0.3", "1.0"])
        workspace = random.choice(self.workspaces)
        body, headers = rpc.send(key, dialect, blocking)
        if blocking and random.random() < 0.3:
            headers["Prefer"] = "wait=2"
        if is_keyed := random.random() < 0.3:
            headers["Idempotency-Key"] = random.choice([f"{key}", f'"{key}"'])
        self.ledger.sending(key, workspace, self.token)
        try:
            if not await self.until_told(wire, key, f"/w/{workspace}/", body, headers):
                return
        finally:
            self.ledger.settled(key)
        if is_keyed and self.ledger.sent[key]["outcome"] == "stored":
            await self.again(wire, key, f"/w/{workspace}/", body, headers)
        if random.random() < 0.1 and self.ledger.sent[key]["task"] and not blocking:
            await self.cancel(wire, key, workspace, dialect)

    async def until_told(self, wire, key, path, body, headers):
        """Repeats the call until the relay has said yes or no to it; False if it gave up before."""
        repeated = False  # an earlier try of this call may have been stored
        while True:
            try:
                answer = await wire.call("POST", path, body, headers)
            except Lost:
                repeated = True
                # Whoever is held when the load ends must not begin anything new after it.
                if random.random() < 0.3 or not self.world.sending:
                    return False
                continue
            if self.heard(key, answer, repeated):
                return True
            repeated = True
            if not self.world.sending:
                return False
            await asyncio.sleep(0.1)

    def heard(self, key, answer, repeated):
        """Notes the answer to a send; False if the call should be repeated."""
        task = rpc.task_of(answer.json) if answer.status == 200 else None
        if task is None:
            error = rpc.error_of(answer.json)
            if error and error[2] == "no":
                # It speaks of this call; the same call before it may have been stored all the same.
                if not repeated:
                    self.ledger.send_refused(key, error[1])
                return True
            self.ledger.note("unknown", key=key, answer=str(answer))
            if answer.status == 200 and not (error and error[2] == "unknown"):
                self.ledger.trouble.append(f"a send was answered with {answer}")
                return True
            return False
        message = answer.headers.get("x-relay-message-id")
        if message is None:
            self.ledger.trouble.append(f"no X-Relay-Message-Id: {answer}")
            return True
        self.ledger.send_acknowledged(key, message, task["id"])
        if self.world.on_ack:
            self.world.on_ack()
        if rpc.state_of(task) == "completed":
            self.ledger.answer_seen(message, rpc.text_of(task))
        return True

    async def again(self, wire, key, path, body, headers):
        """The call once more, although its answer has been received: its key names its message."""
        await asyncio.sleep(random.choice([0, 0, 0.1, 1]))
        other = random.random() < 0.2
        body = body | {"id": f"again-{key}"}
        if other:
            body["params"] = body["params"] | {"metadata": {"other": True}}
        try:
            answer = await wire.call("POST", path, body, headers | {"Prefer": "wait=2"})
        except Lost:
            return
        task, error = rpc.task_of(answer.json), rpc.error_of(answer.json)
        if task and not other and answer.json.get("id") == body["id"]:
            message = answer.headers.get("x-relay-message-id")
            self.ledger.repeated(key, message)
            if rpc.state_of(task) == "completed":
                self.ledger.answer_seen(message, rpc.text_of(task))
        elif other and error and error[1] == "IDEMPOTENCY_CONFLICT":
            self.ledger.note("conflict", key=key)
        elif not (error and error[2]) and answer.status != 503:
            self.ledger.trouble.append(f"a call with the key of {key} was answered with {answer}")

    async def cancel(self, wire, key, workspace, dialect):
        await asyncio.sleep(random.choice([0, 0, 0.05, 0.3]))
        self.ledger.sent[key]["cancel_asked"] = True
        body, headers = rpc.cancel(self.ledger.sent[key]["task"], dialect)
        while not self.world.done:
            try:
                answer = await wire.call("POST", f"/w/{workspace}/", body, headers)
            except Lost:
                continue
            task, error = rpc.task_of(answer.json), rpc.error_of(answer.json)
            if task and rpc.state_of(task) == "canceled":
                return self.ledger.cancel_acknowledged(key)
            if error and error[0] == TASK_NOT_CANCELABLE:
                return self.ledger.note("too late to cancel", key=key)
            if error and error[0] == TASK_NOT_FOUND:
                return self.ledger.trouble.append(f"lost: the task of {key} is unknown to a cancel")
            await asyncio.sleep(0.1)


class Agent:
    """Polls and answers. Some hold on to their work through restarts, some forget it."""

    def __init__(self, world, ledger, name, workspace, token, confirm):
        self.world, self.ledger, self.name = world, ledger, name
        self.workspace, self.token, self.confirm = workspace, token, confirm
        self.wire = Wire(world, token)
        self.base = f"/workspaces/{workspace}/inbox"

    async def run(self):
        working = set()
        while not self.world.done:
            batch = random.choice([1, 4, 16])
            lease = random.choice([2, 5, 8])  # longer ones would outlive the rig
            query = f"?wait=2&max={batch}&lease={lease}&confirm={int(self.confirm)}"
            query += f"&consumer={self.name}"
            began = self.ledger.now
            try:
                answer = await self.wire.call("GET", self.base + query)
            except Lost:
                await asyncio.sleep(0.01)
                continue
            if answer.status != 200:
                await asyncio.sleep(0 if answer.status == 204 else 0.1)
                continue
            for entry in answer.json["messages"]:
                self.ledger.hand_out(entry["text"], entry["id"], began, entry, self.name)
                working.add(task := asyncio.create_task(self.work(entry, lease)))
                task.add_done_callback(working.discard)
            while len(working) > 32:
                await asyncio.sleep(0.005)

    async def work(self, entry, lease):
        wire, message = Wire(self.world, self.token), entry["id"]
        try:
            await self.decide(wire, message, entry, lease)
        finally:
            wire.close()

    async def decide(self, wire, message, entry, lease):
        trouble = entry["attempt"] == 1 and not self.world.draining
        dice = random.random()
        token = entry["lease"]["token"]
        if trouble and dice < 0.02:
            return self.ledger.note("forgotten", message=message)
        if self.confirm and dice < 0.8:
            claimed = await self.say(wire, message, "claim", token)
            if claimed.status != 200:
                return
            token = (claimed.json.get("lease") or {}).get("token", token)
        await asyncio.sleep(random.choice([0, 0, 0, 0.02, 0.3]))
        if trouble and 0.02 < dice < 0.05:
            await self.say(wire, message, "release", token, {"delay_seconds": 0})
            return
        if trouble and 0.05 < dice < 0.07 and lease == 2:
            await asyncio.sleep(lease + 0.5)
        if 0.07 < dice < 0.1:
            await self.say(wire, message, "extend", token, {"lease_seconds": 10})
        await self.answer(wire, message, token)

    async def answer(self, wire, message, token):
        text = f"answer {new_id()}"
        self.ledger.posting(message, text)
        answer = await self.post(wire, message, token, text)
        if answer.status != 200:
            return self.ledger.result_refused(message, text, answer.status, answer.json)
        self.ledger.result_accepted(message, text, answer.json)
        dice = random.random()
        if dice < 0.03:
            again = await self.post(wire, message, token, text)
            if again.status == 200:
                self.ledger.result_accepted(message, text, again.json, again=True)
        elif dice < 0.06:
            other = f"another {new_id()}"
            self.ledger.posting(message, other)
            answer = await self.post(wire, message, token, other)
            if answer.status == 200:
                self.ledger.result_accepted(message, other, answer.json)

    async def post(self, wire, message, token, text):
        if random.random() < 0.7:
            return await self.say(wire, message, "result", token, {"text": text})
        call = {"op": "result", "message": message, "lease": token, "result": {"text": text}}
        while True:
            answer = await self.until_heard(wire, self.base + "/batch", {"calls": [call]}, {})
            results = answer.json.get("results")
            if not results:
                return answer
            answer.status, answer.body = results[0]["status"], json.dumps(
                results[0].get("body") or {}).encode()
            if answer.status != 503:
                return answer
            await asyncio.sleep(0.2)

    async def say(self, wire, message, verb, token, body=None):
        path = f"{self.base}/{message}/{verb}"
        return await self.until_heard(wire, path, body or {}, {"X-Relay-Lease": token})

    async def until_heard(self, wire, path, body, headers):
        """Repeats a call until the relay has said yes or no to it."""
        while True:
            try:
                answer = await wire.call("POST", path, body, headers)
                if answer.status != 503:
                    return answer
                await asyncio.sleep(0.2)
            except Lost:
                await asyncio.sleep(0.01)


class Operator:
    """Cancels messages, looks at queues, pauses them for a moment."""

    def __init__(self, world, ledger, admin):
        self.world, self.ledger = world, ledger
        self.wire = Wire(world, admin)

    async def run(self):
        while not self.world.done:
            open_keys = [key for key in list(self.ledger.open)[-50:]
                         if not self.ledger.sent[key].get("cancel_asked")]
            if self.world.sending and open_keys:
                await self.one(random.choice(open_keys))
            await asyncio.sleep(random.random() * 0.1)

    async def one(self, key):
        sent = self.ledger.sent[key]
        base = f"/workspaces/{sent['workspace']}"
        if random.random() < 0.1:
            return await self.pause(base)
        sent["cancel_asked"] = True
        answer = await self.until_heard(f"{base}/messages/{sent['message']}/cancel")
        if answer and answer.status == 200:
            self.ledger.cancel_acknowledged(key)
        elif answer and answer.status != 409:
            self.ledger.trouble.append(f"lost: an operator's cancel of {key} is {answer}")

    async def pause(self, base):
        if await self.until_heard(f"{base}/pause"):
            await asyncio.sleep(0.05)
        resumed = await self.until_heard(f"{base}/resume")
        if not resumed or resumed.json.get("status") != "active":
            self.ledger.trouble.append(f"a pause does not end: {resumed}")

    async def until_heard(self, path):
        while not self.world.done:
            try:
                answer = await self.wire.call("POST", path, {})
                if answer.status != 503:
                    return answer
                await asyncio.sleep(0.1)
            except Lost:
                await asyncio.sleep(0.01)


class Maker:
    """Makes workspaces with agents and one message each: they are acknowledged writes too."""

    def __init__(self, world, ledger, admin):
        self.world, self.ledger = world, ledger
        self.wire, self.admin = Wire(world, admin), admin

    async def run(self):
        while not self.world.done:
            if self.world.sending:
                try:
                    await self.one()
                except Lost:
                    pass
            await asyncio.sleep(random.random() * 1.5)

    async def one(self):
        given = {"id": new_id()} if random.random() < 0.5 else {}
        made = await self.wire.call("POST", "/workspaces", {"name": "made under load", **given})
        if made.status != 201:
            return
        identity = made.json["id"]
        self.ledger.note("workspace", id=identity)
        self.ledger.workspaces.add(identity)
        registered = await self.wire.call("POST", "/registry/register", {"id": identity})
        if registered.status != 200:
            return
        self.ledger.note("token", workspace=identity)
        token = registered.json["auth_token"]
        self.ledger.tokens[token] = identity
        caller = Caller(self.world, self.ledger, f"maker-{identity}", [identity], self.admin,
                        "bearer", 0)
        task = asyncio.create_task(
            Agent(self.world, self.ledger, "once", identity, token, False).run())
        try:
            await asyncio.wait_for(caller.blocking(f"maker-{identity}"), 20)
        except TimeoutError:
            pass
        self.world.tasks.append(task)

