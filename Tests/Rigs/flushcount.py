"""Counts cache flushes: every durable round sends one to the device, on ext4 and on XFS.

    flushcount.py [--rounds 60]

Neither `kill -9` nor the power cut sees the cache of a device. So: one round at a time, the flush
counter of the loop device before and after, while the write-ahead log grows and while it overwrites
itself; with one workspace (fdatasync) and with five in one round (syncfs). No round may go without.
The control swallows the syncs: then nearly all rounds must go without.
"""
import signal

import rpc
import disks
from relaykit import Relay, check, main, new_id, say, scratch, skip
from shim import Shim

WORKSPACES = 5


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
            self.relay.signal(signal.SIGSTOP)
        for client, space in list(zip(self.clients, self.spaces))[:count]:
            body, headers = rpc.send(text, blocking=False, message_id=new_id())
            client.send("POST", f"/w/{space}/", body, headers)
        self.relay.signal(signal.SIGCONT)
        for client in self.clients[:count]:
            answer = client.receive()
            check(rpc.task_of(answer.json), f"a send was not acknowledged: {answer}")

    def wal(self):
        spaces = [self.disk.data / "workspaces" / s[:2] / f"{s}.db-wal" for s in self.spaces]
        return [path.stat().st_size for path in spaces]

    def without_flush(self, rounds, count):
        """How many of so many rounds sent no flush."""
        silent = 0
        for _ in range(rounds):
            before = self.disk.flushes()
            self.round(count)
            silent += self.disk.flushes() == before
        return silent

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
        for phase in ("append", "overwrite"):
            if phase == "overwrite":
                bench.recycle(count)
            used, sizes = shim[form], bench.wal()
            silent = bench.without_flush(rounds, count)
            grew = bench.wal()[:count] != sizes[:count]
            say(f"{kind}, --barrier {barrier}, {count} in a round ({form}), {phase}: "
                f"{rounds} rounds, {silent} without a flush")
            check(silent == 0, f"{silent} of {rounds} durable rounds sent no flush")
            # On a busy machine one round's sends may come in two turns, the smaller without syncfs.
            check(shim[form] - used >= rounds * 0.3, f"{form} was used {shim[form] - used} times only")
            check(phase == "append" or not grew, "the log grew: this was no overwriting")
    shim["swallow"] = 1
    silent = bench.without_flush(rounds, 1)
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
