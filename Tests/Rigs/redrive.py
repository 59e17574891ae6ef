"""Dead letters come back: each once, beside live traffic, and through kill -9 in the middle of it.

    redrive.py [--count 10000] [--rate 2000] [--judge]

The live throughput with and without a redrive is printed. With --judge it must be at least 0.8 of that
without, the job stopped and begun again between short windows, so that what else runs on the machine
weighs on both alike.
"""
import pathlib
import re
import statistics
import subprocess
import threading
import time

from rigkit import rpc
from rigkit.relay import Relay, check, main, new_id, say, scratch

SENDERS, LIVE_SECONDS = 8, 4
WINDOW, PAIRS, RATIO_MIN = 1.5, 12, 0.8
DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/queues.md"


def send_many(relay, space, count):
    """So many messages, from several connections; their ids."""
    found, failed = [], []

    def some(share):
        with relay.client(relay.admin) as caller:
            for _ in range(share):
                body, headers = rpc.send(new_id(), blocking=False)
                answer = caller.call("POST", f"/w/{space}/", body, headers)
                message = answer.headers.get("x-relay-message-id")
                (found if message else failed).append(message or str(answer))

    shares = [count // SENDERS + (n < count % SENDERS) for n in range(SENDERS)]
    threads = [threading.Thread(target=some, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not failed, f"a send was refused: {failed[:1]}")
    return set(found)


def work_off(relay, space, token, op):
    """Takes all there is, and releases it (the last attempt) or answers it; how often each came."""
    seen, calls = {}, []
    with relay.client(token) as agent:
        while True:
            poll = {"wait": 0, "max": 128, "lease": 600}
            answer = agent.call("POST", f"/workspaces/{space}/inbox/batch",
                                {"calls": calls, "poll": poll})
            check(answer.status == 200, f"a batch: {answer}")
            refused = [one for one in answer.json["results"] if one["status"] != 200]
            check(not refused, f"a call of the batch: {refused[:1]}")
            entries = (answer.json["poll"].get("body") or {}).get("messages") or []
            if not entries and not calls:
                return seen
            calls = []
            for entry in entries:
                seen[entry["id"]] = seen.get(entry["id"], 0) + 1
                call = {"op": op, "message": entry["id"], "lease": entry["lease"]["token"]}
                calls.append(call | ({"result": {"text": "done"}} if op == "result" else {}))


class Live:
    """Callers and an agent of another workspace, who go round as fast as they can."""

    def __init__(self, relay):
        self.relay, self.cycles, self.faults = relay, 0, []
        self.space, self.token = relay.workspace("live")
        self.over = threading.Event()

    def __enter__(self):
        self.started = time.monotonic()
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]
        for thread in self.threads:
            thread.start()
        return self

    def run(self):
        base = f"/workspaces/{self.space}/inbox"
        with self.relay.client(self.relay.admin) as caller, \
                self.relay.client(self.token) as agent:
            while not self.over.is_set():
                body, headers = rpc.send(new_id(), blocking=False)
                caller.call("POST", f"/w/{self.space}/", body, headers)
                entry = agent.call("GET", f"{base}?wait=5").json["messages"][0]
                done = agent.call("POST", f"{base}/{entry['id']}/result", {"text": "ok"},
                                  {"X-Relay-Lease": entry["lease"]["token"]})
                if done.status != 200:
                    self.faults.append(str(done))
                self.cycles += 1

    def measure(self, seconds):
        """Cycles a second, for so long."""
        cycles, begun = self.cycles, time.monotonic()
        time.sleep(seconds)
        return (self.cycles - cycles) / (time.monotonic() - begun)

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.rate = self.cycles / (time.monotonic() - self.started)
        check(not self.faults, f"live traffic was refused: {self.faults[:1]}")


def start_job(relay, space, rate):
    with relay.client(relay.admin) as admin:
        answer = admin.call("POST", f"/workspaces/{space}/redrive", {"state": "dead", "rate": rate})
        check(answer.status == 202, f"a job: {answer}")
        return answer.json


def job(relay, space, number):
    with relay.client(relay.admin) as admin:
        answer = admin.call("GET", f"/workspaces/{space}/jobs/{number}")
        check(answer.status == 200, f"the job is {answer}")
        return answer.json


def finish(relay, space, number, limit):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = job(relay, space, number)
        if found["state"] != "running":
            return found
        time.sleep(0.05)
    check(False, f"the job does not end: {found}")


def judge(what, expected, seen, done):
    check(done["state"] == "done" and done["done"] == len(expected) and not done["failed"],
          f"{what}: {done}")
    twice = [message for message, times in seen.items() if times > 1]
    check(not twice, f"{what}: {len(twice)} were handed out twice, such as {twice[:1]}")
    check(set(seen) == expected, f"{what}: {len(expected - set(seen))} lost, "
          f"{len(set(seen) - expected)} not asked for")
    check(done["replayed"] == 0, f"{what}: nobody was told, and {done['replayed']} are replays")


def stop(relay, space, number):
    """How many it has moved until then."""
    with relay.client(relay.admin) as admin:
        answer = admin.call("DELETE", f"/workspaces/{space}/jobs/{number}")
        check(answer.status in (200, 202), f"a job is stopped: {answer}")
    return finish(relay, space, number, 10)


def judge_live(relay, space, token, dead, rate):
    """Pairs of windows, with the job and without, each time the other one first."""
    with_job, without, moved = [], [], 0

    def one_with():
        nonlocal moved
        number = start_job(relay, space, rate)["job"]
        with_job.append(live.measure(WINDOW))
        moved += stop(relay, space, number)["done"]

    with Live(relay) as live:
        live.measure(WINDOW)
        for pair in range(PAIRS):
            for turn in (0, 1):
                if (pair + turn) % 2:
                    one_with()
                else:
                    without.append(live.measure(WINDOW))
    check(moved >= 0.7 * rate * WINDOW * PAIRS, f"only {moved} were redriven meanwhile")
    ratio = statistics.median(with_job) / statistics.median(without)
    say(f"medians of {PAIRS} windows of {WINDOW} s: {statistics.median(with_job):.0f} live cycles/s "
        f"with a redrive at {rate}/s, {statistics.median(without):.0f} without, ratio {ratio:.2f}; "
        f"{moved} redriven")
    check(ratio >= RATIO_MIN, f"live traffic is slowed to {ratio:.2f}, below {RATIO_MIN}")
    seen = work_off(relay, space, token, "release")
    check(len(seen) == moved and set(seen) <= dead and max(seen.values()) == 1,
          f"{moved} were redriven and {len(seen)} handed out")


def documented(relay, space, message):
    """Every line of the operators' page, as it stands there."""
    page = DOCUMENT.read_text().split("## Queue and messages")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.S)
             for line in block.replace("\\\n", " ").splitlines()]
    check(len(lines) > 12, f"only {len(lines)} lines in {DOCUMENT.name}")
    environment = {"U": relay.url, "ID": space, "TOKEN": relay.admin, "M": message,
                   "PATH": "/usr/bin:/bin"}
    for line in lines:
        ran = subprocess.run(["bash", "-ec", line], env=environment, capture_output=True, timeout=20)
        check(ran.returncode == 0, f"{line}: {ran.returncode} {ran.stdout} {ran.stderr}")
    say(f"{len(lines)} lines of {DOCUMENT.name} work as they stand there")


def resident(relay):
    text = pathlib.Path(f"/proc/{relay.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024


def run(args):
    room = args.count + args.count // 10 + 1000
    limits = ["attempts=1", f"queueMessagesMax={room}", "callerSharePercent=100",
              "queueBytesMax=4000000000"]
    flags = [word for limit in limits for word in ("--limit", limit)]
    relay = Relay(scratch("redrive") / "data", args=flags).start()
    space, token = relay.workspace()
    begun = time.monotonic()
    dead = send_many(relay, space, args.count)
    check(set(work_off(relay, space, token, "release")) == dead, "not all could be taken")
    say(f"{len(dead)} dead letters in {time.monotonic() - begun:.1f} s; "
        f"the relay has {resident(relay)} MiB")

    if args.judge:
        check(args.count >= 2 * args.rate * WINDOW * PAIRS, "--judge needs a larger --count")
        judge_live(relay, space, token, dead, args.rate)
    with Live(relay) as plain:
        time.sleep(LIVE_SECONDS)
    with Live(relay) as beside:
        first = start_job(relay, space, args.rate)
        check(first["matched"] == len(dead), f"matched: {first}")
        done = finish(relay, space, first["job"], 30 + 3 * args.count / args.rate)
    say(f"{done['done']} redriven at {args.rate}/s: live {beside.rate:.0f} cycles/s, without "
        f"{plain.rate:.0f}, ratio {beside.rate / plain.rate:.2f}; {resident(relay)} MiB")
    judge("beside live traffic", dead, work_off(relay, space, token, "release"), done)

    second = start_job(relay, space, args.rate)
    for part in (1, 2):
        while job(relay, space, second["job"])["done"] < part * args.count // 3:
            time.sleep(0.01)
        relay.kill()
        relay.start()
        say(f"killed and started: {job(relay, space, second['job'])['done']} were moved")
    done = finish(relay, space, second["job"], 30 + 3 * args.count / args.rate)
    judge("through two kills", dead, work_off(relay, space, token, "release"), done)
    say(f"{len(dead)} were redriven through two kills, each once")

    documented(relay, space, min(dead))
    relay.stop()


if __name__ == "__main__":
    main(run, count=10_000, rate=2000, judge=False)
