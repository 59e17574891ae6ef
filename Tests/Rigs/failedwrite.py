"""A sync or a write that fails is final: everybody waiting is told "unknown", and the relay ends.

    failedwrite.py [--rounds 2]

The n-th fdatasync or syncfs of the running relay fails with EIO, or the n-th write to a database
file. Sends and results of that round, and callers who are held, must hear *unknown*; nothing is
committed afterwards; the exit status is 74 within 5 s; the last lines name call, errno and device.
After the restart everything acknowledged is there, which the page cache alone would see to: pages are
really lost in `lostpages`, which has the control that is missing here. A write that fails for want of
space is no such thing: it is refused, and the relay goes on.
"""
import errno
import random
import time

from rigkit import rpc
from rigkit.relay import FINAL, Failed, Relay, check, main, new_id, say, scratch
from rigkit.shim import Shim

CASES = {  # name: (barrier, workspaces with work in the round, kinds of calls that may fail)
    "fdatasync": ("fdatasync", 1, ["fdatasync"]),
    "fdatasync of one of several": ("fdatasync", 5, ["fdatasync"]),
    "syncfs": ("auto", 5, ["syncfs"]),
    "the fdatasync after syncfs": ("auto", 5, ["fdatasync"]),
    "a write to the log": ("fdatasync", 2, ["write"]),
}


class Scene:
    """A relay with five workspaces, each with one message handed out and one caller held."""

    def __init__(self, barrier):
        self.folder = scratch("failedwrite")
        self.shim = Shim(self.folder)
        self.relay = Relay(self.folder / "data", args=["--barrier", barrier],
                           preload=self.shim.library, env=self.shim.environment()).start()
        self.spaces = [self.relay.workspace(f"w{n}") for n in range(5)]
        self.stored, self.answers = [], {}
        self.leases = [self.hand_out(n) for n in range(5)]

    def caller(self):
        return self.relay.client(self.relay.admin, timeout=20)

    def send(self, caller, n, blocking=False):
        body, headers = rpc.send(new_id(), blocking=blocking)
        caller.send("POST", f"/w/{self.spaces[n][0]}/", body, headers)

    def hand_out(self, n):
        """(message, lease token) of a message that an agent has and has not answered yet."""
        with self.caller() as caller, self.relay.client(self.spaces[n][1]) as agent:
            self.send(caller, n)
            answer = caller.receive()
            check(rpc.task_of(answer.json), f"not stored: {answer}")
            self.stored.append(answer.headers["x-relay-message-id"])
            polled = agent.call("GET", f"/workspaces/{self.spaces[n][0]}/inbox?wait=5")
            check(polled.status == 200, f"nothing handed out: {polled}")
            entry = polled.json["messages"][0]
            return entry["id"], entry["lease"]["token"]

    def post(self, agent, n):
        message, lease = self.leases[n]
        agent.send("POST", f"/workspaces/{self.spaces[n][0]}/inbox/{message}/result",
                   {"text": f"answer {n}"}, {"X-Relay-Lease": lease})

    def after_restart(self, unknown):
        """What was acknowledged is there; what was unknown is there or is 404, never an error."""
        self.shim.reset()
        self.relay.kill()
        self.relay.start()
        with self.caller() as caller:
            for message in self.stored:
                answer = caller.call("GET", f"/messages/{message}")
                check(answer.status == 200, f"lost: {message} is {answer}")
            for message in unknown:
                answer = caller.call("GET", f"/messages/{message}")
                check(answer.status in (200, 404), f"after an unknown outcome: {answer}")
            for space, _ in self.spaces:
                body, headers = rpc.send(new_id(), blocking=False)
                answer = caller.call("POST", f"/w/{space}/", body, headers)
                check(rpc.task_of(answer.json), f"a send after the restart: {answer}")


def outcome(client, what):
    try:
        answer = client.receive()
    except OSError as error:
        raise Failed(f"{what}: no answer at all ({error})")
    return answer


def one_round(scene, width, with_results):
    """All that arrives in one turn of the loop; who heard "unknown", how many results were refused."""
    senders = [scene.caller() for _ in range(4 * width)]
    agents = [scene.relay.client(scene.spaces[n][1], timeout=20) for n in range(width)]
    for client in senders + agents:
        client.connect()
    scene.relay.pause()
    for n, client in enumerate(senders):
        scene.send(client, n % width)
    for n, client in enumerate(agents if with_results else []):
        scene.post(client, n)
    scene.relay.resume()
    unknown, refused = [], 0
    for client in senders:
        answer = outcome(client, "a send of the failed round")
        message = answer.headers.get("x-relay-message-id")
        if rpc.task_of(answer.json):  # of a round before the failure: acknowledged, so it counts
            scene.stored.append(message)
            continue
        delivered = (rpc.error_of(answer.json) or (0, 0, 0))[2]
        if delivered == "no":  # read after the failure: certainly not stored
            continue
        check(delivered == "unknown", f"a send of the failed round heard {answer}")
        check(message, f"an unknown outcome without X-Relay-Message-Id: {answer.headers} {answer}")
        unknown.append(message)
    for client in agents if with_results else []:
        answer = outcome(client, "a result of the failed round")
        check(answer.status in (200, 503), f"a result of the failed round heard {answer}")
        refused += answer.status == 503
    return unknown, refused


def experiment(name, after):
    barrier, width, kinds = CASES[name]
    scene = Scene(barrier)
    relay, shim = scene.relay, scene.shim
    held = scene.caller()
    scene.send(held, 4, blocking=True)
    time.sleep(0.3)  # it is stored and held now
    shim["slow"] = 3000  # while one sync is under way the next round gathers
    shim.fail(kinds, after)
    unknown, refused = [], 0
    for batch in range(5):  # the call to fail may come with a later round
        more, some = one_round(scene, width, batch == 0)
        unknown += more
        refused += some
        if shim["failed"]:
            break
    check(unknown or refused, "nobody heard of the failure")
    answer = outcome(held, "the held caller")
    check((rpc.error_of(answer.json) or (0, 0, 0))[2] == "unknown", f"the held caller heard {answer}")

    code = relay.wait(10)
    took = time.monotonic() - shim["failed_at"] / 1e9
    check(code == FINAL, f"exit status {code} instead of {FINAL}; {relay.log_tail()}")
    check(took < 5, f"the end took {took:.1f} s")
    check(shim["later"] == 0, f"{shim['later']} writes to databases after the failure")
    check(kinds == ["write"] or shim["later_syncs"] == 0, f"{shim['later_syncs']} syncs after it")
    last = relay.log_tail(12).lower()
    call = "write" if kinds == ["write"] else kinds[0]
    check(call in last and ("errno\":5" in last or "eio" in last or "input/output" in last),
          f"the last lines do not name call and errno: {last}")
    say(f"{name}, call {after}: {len(unknown)} sends and {refused} results unknown, "
        f"exit {code} after {took * 1000:.0f} ms")
    scene.after_restart(unknown)
    relay.stop()


def no_space():
    """ENOSPC of a write is not final: the sends are refused, nothing was stored, life goes on."""
    scene = Scene("fdatasync")
    scene.shim.fail(["write"], 1, errno.ENOSPC)
    with scene.caller() as caller:
        scene.send(caller, 0)
        answer = caller.receive()
        delivered = (rpc.error_of(answer.json) or (0, 0, 0))[2]
        check(delivered == "no" or rpc.task_of(answer.json), f"a write without space: {answer}")
        if rpc.task_of(answer.json):
            scene.stored.append(answer.headers["x-relay-message-id"])
        check(scene.shim["failed"] == 1, "no write failed")
        deadline = time.monotonic() + 15
        while True:  # it may take sends for refused until it has looked at the disk again
            scene.send(caller, 0)
            answer = caller.receive()
            if rpc.task_of(answer.json) or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        check(rpc.task_of(answer.json), f"no send is taken after it: {answer}")
    check(scene.relay.alive, "the relay ended for want of space")
    say(f"a write without space: refused ({delivered}), the relay goes on")
    scene.after_restart([])
    scene.relay.stop()


def run(args):
    for name in CASES:
        for _ in range(args.rounds):
            experiment(name, random.choice([1, 1, 2]) if CASES[name][2] != ["syncfs"] else 1)
    no_space()


if __name__ == "__main__":
    main(run, rounds=2)
