"""Rounds of load, crash and restart on one data directory, judged at the end from the ledger."""
import asyncio
import random

from . import rpc
from .asyncwire import Lost, Wire, World
from .ledger import Ledger, judge, judge_hands, judge_timeline
from .load import Agent, Caller, Maker, Operator
from .relay import Failed, check, say

CALLERS, AGENTS_EACH = 24, 3

# How the relay is set up in a campaign: as shipped, or with such bounds that logs are checkpointed
# and begin anew all the time and lost work comes back soon, also with more workspaces than files
# may be open, so that these are closed and opened all the time.
TEMPERS = {
    "as shipped": (6, []),
    "small logs": (6, ["walPagesIdle=20", "walPagesBusy=40", "restartGrace=2000"]),
    "many workspaces": (16, ["walPagesIdle=20", "walPagesBusy=40", "restartGrace=2000",
                             "openWorkspacesMax=8"]),
}


def limits(temper):
    """The flags of a temper."""
    return [word for limit in TEMPERS[temper][1] for word in ("--limit", limit)]


def tempers(rounds):
    """(temper, rounds) of so many rounds: shared out, at most 20 in one campaign."""
    left, names = rounds, list(TEMPERS)
    share = min(20, -(-rounds // len(names)))
    while left > 0:
        name = names.pop(0)
        names.append(name)
        yield name, min(share, left)
        left -= min(share, left)


class Campaign:
    """`crash` ends the relay, `recover` starts it again; both block."""

    KEEPS_HAND_OUTS = True  # they are committed before the bytes leave, but wait for no barrier

    def __init__(self, relay, folder, rounds, crash, recover, temper="as shipped",
                 longest=2.0, pace=0.03):
        self.relay, self.rounds, self.crash, self.recover = relay, rounds, crash, recover
        self.workspaces, self.longest, self.pace = TEMPERS[temper][0], longest, pace
        self.ledger, self.world = Ledger(folder / "ledger.jsonl"), World()
        self.restarts = 0

    def run(self, stop_early=None):
        """The broken promises. `stop_early`: at the first with this text, for negative controls."""
        try:
            return asyncio.run(self._run(stop_early))
        finally:
            self.ledger.close()

    async def _run(self, stop_early):
        pairs = [self.relay.workspace(f"agent {n}") for n in range(self.workspaces)]
        self.ledger.workspaces |= {identity for identity, _ in pairs}
        self.ledger.tokens |= {token: identity for identity, token in pairs}
        self._begin(pairs)
        try:
            for _ in range(self.rounds):
                await self._round()
                await self._fresh()
                if stop_early and any(stop_early in text for text in self.so_far()):
                    return self.so_far()
            return await self._finish()
        finally:
            self.world.done = True
            for task in self.world.tasks:
                task.cancel()
            await asyncio.gather(*self.world.tasks, return_exceptions=True)

    def _begin(self, pairs):
        admin = self.relay.admin
        workspaces = [identity for identity, _ in pairs]
        world, ledger = self.world, self.ledger
        runs = [Maker(world, ledger, admin), Operator(world, ledger, admin)]
        for n in range(CALLERS):
            own = pairs[n % len(pairs)]
            token, scheme = [(admin, "bearer"), (own[1], "key")][n % 2]
            runs.append(Caller(world, ledger, f"c{n}", workspaces, token, scheme, self.pace))
        for n, (identity, token) in enumerate(pairs):
            for m in range(AGENTS_EACH):
                runs.append(Agent(world, ledger, f"a{n}.{m}", identity, token, confirm=m == 1))
        world.tasks += [asyncio.create_task(run.run()) for run in runs]

    async def _round(self):
        """Load for a random time, then the crash: by the clock, or right at an acknowledgement."""
        self.world.set_up(self.relay.port)
        await asyncio.sleep(random.random() * random.choice([0.1, self.longest, self.longest]))
        if random.random() < 0.6:
            crashed = asyncio.get_running_loop().create_future()
            self.world.on_ack = lambda: self._crash_once(crashed)
            try:
                await asyncio.wait_for(asyncio.shield(crashed), 3)
            except TimeoutError:
                self._crash_once(crashed)
        else:
            self.world.set_down()
            self.crash()
        self.world.on_ack = None
        await asyncio.sleep(0.05)  # what the relay still wrote is read and noted
        self._stopped()
        self.recover()
        self.restarts += 1

    def _crash_once(self, crashed):
        if not crashed.done():
            self.world.on_ack = None
            self.world.set_down()
            self.crash()
            crashed.set_result(None)

    def _stopped(self):
        for task in self.world.tasks:
            if task.done() and task.exception():
                raise task.exception()

    async def _fresh(self):
        """Everything acknowledged in the last round is there after the restart."""
        keys, self.ledger.fresh = self.ledger.fresh, []
        for key, (status, state, _) in (await self._read(keys)).items():
            if status != 200:
                name = f"{key} ({self.ledger.sent[key]['message']})"
                self.ledger.trouble.append(f"lost: {name} is {status} {state} after a restart")

    async def _read(self, keys):
        """GET /messages/{m} as the caller who sent it: key → (status, state, answer text)."""
        found, left = {}, list(keys)

        async def some():
            wires = {}
            while left:
                key = left.pop()
                sent = self.ledger.sent[key]
                wire = wires.setdefault(sent["token"], Wire(self.world, sent["token"], "key"))
                for _ in range(3):
                    try:
                        answer = await wire.call("GET", "/messages/" + sent["message"], waits=False)
                        break
                    except Lost as lost:
                        answer, why = None, str(lost)
                if answer is None:
                    raise Failed(f"the relay does not answer after a restart: {why}")
                body = answer.json
                state = body.get("state") or body.get("code")
                found[key] = (answer.status, state, rpc.text_of(body.get("task") or {}))
            for wire in wires.values():
                wire.close()

        self.world.port, was = self.relay.port, self.world.generation
        self.world.generation = was + 1
        await asyncio.gather(*(some() for _ in range(12)))
        return found

    def so_far(self):
        broken = list(self.ledger.trouble)
        for message, hands in self.ledger.handed.items():
            broken += judge_hands(self.ledger, message, hands)
        return broken

    async def _finish(self):
        """Agents work off what is left (30 s pass before they see what was in flight)."""
        self.world.draining, self.world.sending = True, False
        self.world.set_up(self.relay.port)
        for _ in range(900):
            # A held send whose message no agent has yet is acknowledged only when it is answered.
            if not self.ledger.open and not self.ledger.asking:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        self._stopped()
        stored = [k for k, s in self.ledger.sent.items() if s["outcome"] == "stored"]
        found = await self._read(stored)
        final = {self.ledger.sent[key]["message"]: value for key, value in found.items()}
        await self._accounts()
        await self._timelines(stored)
        return judge(self.ledger, final)

    async def _accounts(self):
        """Created workspaces and given tokens are acknowledged writes too."""
        admin = Wire(self.world, self.relay.admin)
        for identity in self.ledger.workspaces:
            answer = await admin.call("GET", f"/workspaces/{identity}")
            if answer.status != 200:
                self.ledger.trouble.append(f"lost: workspace {identity} is {answer.status}")
        for token, identity in self.ledger.tokens.items():
            wire = Wire(self.world, token)
            answer = await wire.call("POST", "/registry/heartbeat", {"workspace_id": identity})
            wire.close()
            if answer.status != 200:
                self.ledger.trouble.append(f"lost: a token of {identity} is {answer.status}")
        admin.close()

    async def _timelines(self, keys):
        """The operator's view of some messages tells every hand-out that an agent has seen."""
        admin = Wire(self.world, self.relay.admin)
        for key in random.sample(keys, min(200, len(keys))):
            sent = self.ledger.sent[key]
            path = f"/workspaces/{sent['workspace']}/messages/{sent['message']}"
            answer = await admin.call("GET", path)
            check(answer.status == 200, f"no timeline of {sent['message']}: {answer}")
            self.ledger.trouble += judge_timeline(
                self.ledger, sent["message"], answer.json["timeline"], self.KEEPS_HAND_OUTS)
        admin.close()

    def tell(self):
        ledger = self.ledger
        stored = [s for s in ledger.sent.values() if s["outcome"] == "stored"]
        handed = sum(len(h) for h in ledger.handed.values())
        say(f"{self.restarts} restarts, {len(stored)} sends acknowledged of {len(ledger.sent)}, "
            f"{handed} hand-outs of {len(ledger.handed)} messages, "
            f"{sum(len(t) for t in ledger.accepted.values())} results accepted, "
            f"{sum(s['cancelled'] is not None for s in stored)} cancels, "
            f"{ledger.repeats} calls repeated by their key, {len(ledger.workspaces)} workspaces")


def report(campaign, broken):
    campaign.tell()
    for text in broken[:10]:
        say("BROKEN: " + text)
    check(not broken, f"{len(broken)} promises broken")
    acknowledged = sum(s["outcome"] == "stored" for s in campaign.ledger.sent.values())
    check(acknowledged >= 10 * campaign.rounds, f"too little load: {acknowledged} sends")
    check(campaign.ledger.repeats >= campaign.rounds, "too few calls were repeated by their key")


def expect_detection(campaign, broken, control, expected):
    """A negative control must be found, and for what it breaks: `expected` is part of the finding."""
    campaign.tell()
    found = [text for text in broken if expected in text]
    check(found, f"the negative control was not detected: {control} ({broken[:3]})")
    say(f"detected after {campaign.restarts} rounds, as it must be: {found[0]}")
