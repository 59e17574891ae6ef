"""Counts cache flushes: every durable round sends one to the device, on ext4 and on XFS.

    flushcount.py [--rounds 60]

Neither `kill -9` nor the power cut sees the cache of a device. So: one round at a time, the flush
counter of the loop device before and after, while the write-ahead log grows and while it overwrites
itself; with one workspace (fdatasync) and with eight in one round (syncfs). No round may go without.
The control swallows the syncs: then nearly all rounds must go without.
"""
import time

from rigkit import disks, rpc
from rigkit.relay import Relay, check, main, new_id, say, scratch, skip
from rigkit.shim import Shim

WORKSPACES = 8
SLOW = 3000  # microseconds: while one sync is under way the next round gathers


class Bench:
    def __init__(self, kind, barrier):
        self.folder = scratch("flushcount")
        self.disk, self.shim = disks.LoopDisk(kind, 512), Shim(self.folder)
        self.relay = Relay(self.disk.data, args=["--barrier", barrier], preload=self.shim.library,
                           env=self.shim.environment())
        self.relay.log = self.folder / "relay.log"
        self.relay.start()
        self.spaces = [self.relay.workspace(f"w{n}")[0] for n in range(WORKSPACES)]
        self.clients = [self.relay.client(self.relay.admin) for _ in self.spaces]
        for client in self.clients:
            client.call("GET", "/health")

    def round(self, count, text="small"):
        """One message to each of `count` workspaces, all in one turn of the relay's loop."""
        if count > 1:
            self.relay.pause()
        for client, space in list(zip(self.clients, self.spaces))[:count]:
            body, headers = rpc.send(text, blocking=False, message_id=new_id())
            client.send("POST", f"/w/{space}/", body, headers)
        self.relay.resume()
        for client in self.clients[:count]:
            answer = client.receive()
            check(rpc.task_of(answer.json), f"a send was not acknowledged: {answer}")

    def wal(self):
        spaces = [self.disk.data / "workspaces" / s[:2] / f"{s}.db-wal" for s in self.spaces]
        return [path.stat().st_size for path in spaces]

    def measure(self, rounds, count, form):
        """Runs until `form` was used in so many rounds; (rounds, those without enough flushes)."""
        measured = silent = 0
        for _ in range(20 * rounds):
            before, calls = self.disk.flushes(), (self.shim["fdatasync"], self.shim["syncfs"])
            self.round(count)
            fdatasyncs, syncfss = (self.shim["fdatasync"] - calls[0], self.shim["syncfs"] - calls[1])
            if (fdatasyncs if form == "fdatasync" else syncfss) == 0:
                continue
            # One turn of the loop may be made durable by several barriers: a flush for each.
            barriers = syncfss + -(-(fdatasyncs - syncfss) // 2) if form == "syncfs" else 1
            if self.disk.flushes() - before < barriers:
                time.sleep(0.02)  # of a barrier that nobody waits for, the flush may be under way
            measured += 1
            silent += self.disk.flushes() - before < barriers
            if measured == rounds:
                return measured, silent
        check(False, f"{form} was used in {measured} of {20 * rounds} rounds only")

    def recycle(self, count):
        """Sends until the logs of all `count` workspaces have begun to overwrite themselves."""
        quiet, sizes = 0, self.wal()
        for _ in range(600):
            self.round(count, "x" * 60_000)
            now = self.wal()
            quiet = quiet + 1 if now[:count] == sizes[:count] else 0
            sizes = now
            if quiet >= 4:
                return
        check(False, f"the write-ahead logs still grow after 600 rounds: {self.wal()}")

    def close(self):
        self.relay.kill()
        self.disk.close()


def measure(kind, barrier, rounds):
    bench = Bench(kind, barrier)
    shim = bench.shim
    for count in (1, WORKSPACES):
        form = "syncfs" if barrier == "auto" and count > 2 else "fdatasync"
        shim["slow"] = SLOW if form == "syncfs" else 0
        for phase in ("append", "overwrite"):
            if phase == "overwrite":
                bench.recycle(count)
            sizes = bench.wal()
            _, silent = bench.measure(rounds, count, form)
            grew = bench.wal()[:count] != sizes[:count]
            say(f"{kind}, --barrier {barrier}, {count} in a round ({form}), {phase}: "
                f"{rounds} rounds, {silent} without a flush")
            check(silent == 0, f"{silent} of {rounds} durable rounds sent no flush")
            check(phase == "append" or not grew, "the log grew: this was no overwriting")
    shim["swallow"] = 1
    _, silent = bench.measure(rounds, 1, "fdatasync")
    say(f"{kind}, --barrier {barrier}, control: {silent} of {rounds} without a flush")
    check(silent > rounds * 0.8, "the control was not detected")
    bench.close()


def run(args):
    why = disks.missing(("ext4", "xfs"))
    if why:
        skip("flush count", why)
    for kind in ("ext4", "xfs"):
        for barrier in ("fdatasync", "auto"):
            measure(kind, barrier, args.rounds)


if __name__ == "__main__":
    main(run, rounds=60)
