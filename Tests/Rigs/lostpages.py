"""A write-back that fails in the kernel, then a power cut: nothing acknowledged is lost.

    lostpages.py [--rounds 1]

Unlike `failedwrite`, no call is made to lie: the disk under a loop-mounted ext4 has no space for the
blocks that the write-ahead log grows into (disks.FailingDisk). The kernel reports the lost pages at
one sync, with ENOSPC or EIO, and calls them clean. Everybody waiting must hear *unknown*, the exit status is 74
within 5 s, the exit line names call, errno and path. Then the disk works again and loses power, at
once or after a restart that took more messages: all that was acknowledged, or seen, is there. Then
the same for a checkpoint whose write-back fails, where the log is good and the database is not.

The control is a planted fault of the debug build that goes on after the failed sync: on the same
disk it must be found to lose what it acknowledged, through both forms of the barrier.
"""
import errno
import subprocess
import time

from rigkit import disks, rpc
from rigkit.relay import FINAL, Failed, Relay, check, main, new_id, say, scratch, skip

FORMS = {"fdatasync": ("fdatasync", 1), "syncfs": ("auto", 6)}  # --barrier, workspaces in a round
ENDS = ["a power cut", "a restart, more messages, a power cut"]
PLANT = {"A2A_RELAY_PLANT": "go-on-after-failed-sync"}
# No checkpoint: what fails is the barrier, and the log grows all the time.
GROWING = ["--limit", "walPagesIdle=15000", "--limit", "walPagesBusy=15000"]
# Often a checkpoint: the log keeps to its blocks, and what grows is the database.
SMALL = ["--limit", "walPagesIdle=40"]
BATCHES = 40


class Scene:
    def __init__(self, form, build="release", env=None, limits=GROWING):
        barrier, width = FORMS[form]
        self.folder, self.disk = scratch("lostpages"), disks.FailingDisk("ext4", 128)
        self.relay = Relay(self.disk.data, build, ["--barrier", barrier] + limits, env)
        self.relay.log, self.relay.output = self.folder / "relay.log", self.folder / "relay.out"
        self.relay.start()
        self.spaces = [self.relay.workspace(f"w{n}") for n in range(width)]
        self.stored, self.answers, self.unknown = [], {}, []

    def caller(self):
        return self.relay.client(self.relay.admin, timeout=20)

    def send(self, caller, n, blocking=False, size=10):
        body, headers = rpc.send("x" * size, blocking=blocking, message_id=new_id())
        caller.send("POST", f"/w/{self.spaces[n][0]}/", body, headers)

    def hold(self, n):
        caller = self.caller()
        self.send(caller, n, blocking=True)
        return caller

    def hand_out(self, n):
        """(message, lease) of the oldest message of a workspace."""
        space, token = self.spaces[n]
        with self.relay.client(token) as agent:
            polled = agent.call("GET", f"/workspaces/{space}/inbox?wait=5")
            check(polled.json.get("messages"), f"nothing handed out: {polled}")
            entry = polled.json["messages"][0]
            return entry["id"], entry["lease"]["token"]

    def post(self, agent, n, lease):
        agent.send("POST", f"/workspaces/{self.spaces[n][0]}/inbox/{lease[0]}/result",
                   {"text": f"answer to {lease[0]}"}, {"X-Relay-Lease": lease[1]})

    def take_result(self, agent, lease):
        """Whether the answer of `lease` was taken."""
        answer = hear(agent, "an agent")
        check(answer.status in (200, 503), f"a result heard {answer}")
        if answer.status == 200:
            self.answers[lease[0]] = f"answer to {lease[0]}"
        return answer.status == 200

    def batch(self, leases=(), size=10):
        """A message to each workspace, and a result for each of `leases`, in one turn of the loop.

        What was acknowledged is remembered; says how many heard that it was not.
        """
        callers = [self.caller() for _ in self.spaces]
        agents = [self.relay.client(self.spaces[n][1], timeout=20) for n in range(len(leases))]
        for client in callers + agents:
            client.connect()
        self.relay.pause()
        for n, caller in enumerate(callers):
            self.send(caller, n, size=size)
        for n, agent in enumerate(agents):
            self.post(agent, n, leases[n])
        self.relay.resume()
        failed = sum(not self.take_send(caller) for caller in callers)
        return failed + sum(not self.take_result(*pair) for pair in zip(agents, leases))

    def take_send(self, caller):
        """Whether the message was acknowledged; if not it must be said to be unknown or refused."""
        answer = hear(caller, "a caller")
        message = answer.headers.get("x-relay-message-id")
        if rpc.task_of(answer.json):
            self.stored.append(message)
            return True
        _, reason, delivered = rpc.error_of(answer.json) or (0, 0, 0)
        check(delivered in ("unknown", "no"), f"a send heard {answer}")
        # What comes after the failure is not stored, and has no id.
        if delivered == "unknown" and reason != "STOPPING":
            check(message, f"an unknown outcome without X-Relay-Message-Id: {answer}")
            self.unknown.append(message)
        return False

    def before(self):
        """Acknowledged messages and answers, one lease for each workspace, callers who are held."""
        for _ in range(8):
            check(self.batch() == 0, "a send was refused on a good disk")
        for _ in range(2):
            leases = [self.hand_out(n) for n in range(len(self.spaces))]
            check(self.batch(leases) == 0, "a result was refused on a good disk")
        leases = [self.hand_out(n) for n in range(len(self.spaces))]
        held = [self.hold(n) for n in range(len(self.spaces))]
        time.sleep(0.3)  # they are stored and held now
        return leases, held

    def lost(self):
        """Those acknowledged messages that the relay does not have, or not with their answer."""
        with self.caller() as caller:
            found = {m: caller.call("GET", f"/messages/{m}") for m in self.stored}
        return [f"{message} is {answer}" for message, answer in found.items()
                if answer.status != 200 or
                self.answers.get(message) not in (None, text_of(answer))]

    def there(self, messages):
        """Those that can be read; the others must be 404."""
        with self.caller() as caller:
            found = {m: caller.call("GET", f"/messages/{m}") for m in messages}
        for message, answer in found.items():
            check(answer.status in (200, 404), f"an unknown message {message} is {answer}")
        return [message for message, answer in found.items() if answer.status == 200]

    def power_cut(self):
        self.disk.cut()
        self.relay.kill()
        self.disk.power_up()
        self.relay.boot_id = disks.other_boot(self.folder)
        self.relay.start()

    def close(self):
        self.relay.kill()
        self.disk.close()


def text_of(answer):
    return rpc.text_of(answer.json.get("task") or {})


class NoAnswer(Failed):
    """The connection ended before an answer."""


def hear(client, who):
    try:
        return client.receive()
    except OSError as error:
        raise NoAnswer(f"{who} got no answer at all ({error})")


def check_end(scene, form, since):
    """Exit status, time and last words of a relay whose sync has failed."""
    code = scene.relay.wait(10)
    took = time.monotonic() - since
    check(code == FINAL, f"exit status {code} instead of {FINAL}; {scene.relay.log_tail()}")
    check(took < 5, f"the end took {took:.1f} s")
    last = scene.relay.log_tail(8)
    # A sync of many files is a syncfs and one fdatasync.
    calls = ["syncfs", "fdatasync"] if form == "syncfs" else [form]
    check(any(f'"call":"{call}"' in last for call in calls), f"no {calls} in the last lines: {last}")
    check(str(scene.disk.data) in last, f"the last lines do not name {scene.disk.data}: {last}")
    codes = [f'"errno":{code},' for code in (errno.EIO, errno.ENOSPC)]  # which: the kernel's choice
    check(any(code in last for code in codes), f"the last lines name no errno: {last}")
    return took


def experiment(form, end):
    scene = Scene(form)
    leases, held = scene.before()
    scene.disk.fail()
    # More than the blocks that the file system may have set aside for the log already, in bodies that
    # are small enough to be taken in one turn.
    for _ in range(BATCHES):
        failed, since = scene.batch(leases, 60_000), time.monotonic()
        if failed:
            break
        leases = []
    check(failed, "no sync failed: the disk did not fail")
    check_held(held)
    took = check_end(scene, form, since)
    aftermath(scene, end, f"{form}, {end}: {failed} in the failed round, exit {FINAL} after "
              f"{took * 1000:.0f} ms")


def checkpoint(end):
    """The log's blocks are good and those of the database fail: the log is not given up."""
    scene = Scene("fdatasync", limits=SMALL)
    _, held = scene.before()
    for _ in range(100):
        check(scene.batch() == 0, "a send was refused on a good disk")
    scene.disk.fail()
    count = 0
    while scene.relay.alive and count < 2000:
        count += 1
        try:
            scene.batch()
        except (OSError, NoAnswer):  # the relay has ended: nothing was acknowledged
            break
    check_held(held)
    check_end(scene, "checkpoint", time.monotonic())
    aftermath(scene, end, f"checkpoint, {end}: exit {FINAL} after {count} messages")


def check_held(held):
    for caller in held:
        answer = hear(caller, "a held caller")
        delivered = (rpc.error_of(answer.json) or (0, 0, 0))[2]
        check(delivered == "unknown", f"a held caller heard {answer}")


def aftermath(scene, end, what):
    """The disk works again and loses power: what was acknowledged must be there."""
    scene.disk.mend()
    scene.relay.kill()
    if end != ENDS[0]:
        after_restart(scene)
    scene.power_cut()
    lost = scene.lost()
    check(not lost, f"{len(lost)} of {len(scene.stored)} acknowledged are lost: {lost[:3]}")
    left = len(scene.there(scene.unknown))
    check(scene.batch() == 0, "a send after the power cut was refused")
    say(f"{what}; {len(scene.stored)} acknowledged are all there, of {len(scene.unknown)} unknown "
        f"{left}")
    scene.relay.stop()
    scene.close()


def after_restart(scene):
    """The page cache still shows what the disk has lost: who is shown it now may rely on it."""
    scene.relay.start()
    scene.stored += scene.there(scene.unknown)
    for _ in range(8):
        check(scene.batch() == 0, f"a send after the restart was refused: {scene.relay.log_tail()}")


def control(form):
    """The relay that goes on: what it acknowledges after the failure must be found to be lost."""
    scene = Scene(form, "debug", PLANT)
    scene.before()
    before = len(scene.stored)
    scene.disk.fail()
    for _ in range(BATCHES):
        check(scene.batch() == 0, "the planted fault does not go on")
        if "planted_sync_failure_ignored" in scene.relay.log.read_text():
            break
    else:
        check(False, f"no sync failed in {BATCHES} batches: the disk did not fail")
    scene.disk.mend()
    for _ in range(8):
        check(scene.batch() == 0, "the planted fault does not go on")
    after, ignored = len(scene.stored) - before, scene.relay.log.read_text().count("_ignored")
    scene.relay.env = {}
    try:
        scene.power_cut()
        lost = scene.lost()
    except Failed as failure:  # the relay cannot start on what is left
        lost = scene.stored
        say(str(failure))
    check(lost, f"the control was not detected: {ignored} failed syncs ignored, nothing lost")
    say(f"{form}, control: {ignored} failed syncs ignored, {after} messages acknowledged since, "
        f"{len(lost)} lost: detected")
    scene.close()


def missing():
    why = disks.missing()
    if why:
        return why
    try:
        disk = disks.FailingDisk("ext4", 32)
        disk.fail()
        disk.mend()
        disk.close()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no disk that fails can be made: {getattr(error, 'stderr', None) or error}"
    return None


def run(args):
    why = missing()
    if why:
        skip("lost pages", why)
    for form in FORMS:
        for _ in range(args.rounds):
            for end in ENDS:
                experiment(form, end)
        control(form)
    for _ in range(args.rounds):
        for end in ENDS:
            checkpoint(end)


if __name__ == "__main__":
    main(run, rounds=1)
