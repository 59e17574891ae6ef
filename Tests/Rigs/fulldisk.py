"""A real disk that fills up: sends are refused, results go on, and it recovers without a restart.

    fulldisk.py

A small ext4 on a loop device, first filled to the high water mark, then to the last block: there the
reserve must be given up, and taken again when space is back. The control has no mark: filled as far, it must go on taking sends, or it was not the mark that refused them.
"""
import os
import time

from rigkit import disks, rpc
from rigkit.relay import Relay, check, main, new_id, say, scratch, skip

HIGH_WATER = 6 << 20
WAIT = 15  # seconds until the relay has noticed


class Scene:
    def __init__(self, mark=HIGH_WATER):
        self.folder = scratch("fulldisk")
        self.disk = disks.LoopDisk("ext4", 192)
        self.relay = Relay(self.disk.data, args=["--disk-high-water", str(mark)])
        self.relay.log = self.folder / "relay.log"
        self.relay.start()
        self.space, self.token = self.relay.workspace()
        self.caller = self.relay.client(self.relay.admin)
        self.agent = self.relay.client(self.token)
        self.filler = self.disk.mount_point / "filler"
        self.stored, self.answered = [], {}

    def send(self, size=200):
        """The answer to one non-blocking send; what is acknowledged is remembered."""
        body, headers = rpc.send("x" * size, blocking=False, message_id=new_id())
        answer = self.caller.call("POST", f"/w/{self.space}/", body, headers)
        if rpc.task_of(answer.json):
            self.stored.append(answer.headers["x-relay-message-id"])
        return answer

    def work(self, count, size=0):
        """Polls and answers `count` messages, with `size` bytes more each."""
        base = f"/workspaces/{self.space}/inbox"
        while count > 0:
            polled = self.agent.call("GET", f"{base}?wait=2&max={min(count, 16)}")
            check(polled.status == 200, f"a poll on a full disk: {polled}")
            for entry in polled.json["messages"]:
                text = f"answer {new_id()}" + "x" * size
                answer = self.agent.call("POST", f"{base}/{entry['id']}/result", {"text": text},
                                         {"X-Relay-Lease": entry["lease"]["token"]})
                check(answer.status == 200, f"a result on a full disk: {answer}")
                self.answered[entry["id"]] = text
                count -= 1

    def fill(self, leave):
        """Takes all space but `leave` bytes."""
        with open(self.filler, "ab") as file:
            size = os.fstat(file.fileno()).st_size
            while (spare := self.disk.free() - leave) > 4096:
                try:
                    os.posix_fallocate(file.fileno(), size, min(spare, 16 << 20) // 4096 * 4096)
                except OSError:  # the last blocks go to the file system itself
                    break
                size = os.fstat(file.fileno()).st_size

    def events(self, name):
        """How often the log has it."""
        return self.relay.log.read_text().count(name)

    def check_reserve(self, is_held, given_up, taken):
        """Waits until the reserve is so, and looks at all that says so."""
        def seen():
            page = self.caller.call("GET", "/metrics").body.decode()
            return (f"a2a_relay_disk_reserve_held {int(is_held)}\n" in page,
                    self.events("reserve_given_up"), self.events("reserve_taken"))
        deadline = time.monotonic() + WAIT
        while seen() != (True, given_up, taken) and time.monotonic() < deadline:
            time.sleep(0.1)
        check(seen() == (True, given_up, taken),
              f"reserve held {is_held}, given up {given_up}, taken {taken}: it is {seen()}")
        held = (self.disk.data / "reserve").stat().st_size > 0
        check(held == is_held, f"the reserve's file is {'full' if held else 'empty'}")

    def until(self, what, holds):
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            answer = self.send()
            if holds(answer):
                return answer
            time.sleep(0.1)
        check(False, f"{what} not within {WAIT} s; the last answer: {answer}")

    def close(self):
        self.caller.close()
        self.agent.close()
        self.relay.stop()
        self.disk.close()

    def verify(self):
        for message in self.stored:
            answer = self.caller.call("GET", f"/messages/{message}")
            check(answer.status == 200, f"lost: {message} is {answer}")
            if message in self.answered:
                text = rpc.text_of(answer.json.get("task") or {})
                check(text == self.answered[message], f"another answer: {message} has {text!r}")


def refused(answer):
    return (rpc.error_of(answer.json) or (0, 0, 0))[1] == "DISK_FULL"


def accepted(answer):
    return rpc.task_of(answer.json) is not None


def check_refusal(answer):
    _, reason, delivered = rpc.error_of(answer.json)
    check(answer.status == 200 and delivered == "no", f"not refused as it should be: {answer}")
    check("retry-after" in answer.headers, f"no Retry-After: {answer.headers}")


def control():
    scene = Scene(mark=0)
    scene.fill(HIGH_WATER // 2)
    deadline, count = time.monotonic() + 3, 0  # the relay looks at the disk once a second
    while time.monotonic() < deadline:
        answer = scene.send()
        check(accepted(answer), f"without a mark a send is refused as well: {answer}")
        count += 1
        time.sleep(0.1)
    say(f"control: without the mark {count} sends are taken with {scene.disk.free() >> 10} KiB free")
    scene.close()


def run(args):
    why = disks.missing()
    if why:
        skip("full disk", why)
    control()
    scene = Scene()
    for _ in range(100):
        check(accepted(scene.send()), "a send on an empty disk was refused")
    scene.work(10)
    scene.check_reserve(True, given_up=0, taken=1)

    scene.fill(HIGH_WATER // 2)
    check_refusal(scene.until("a refusal below high water", refused))
    scene.work(10)
    say(f"below high water: {len(scene.stored)} stored, sends are refused, results go on")

    scene.filler.unlink()
    scene.until("recovery", accepted)
    say("space is back: sends are taken again")

    scene.fill(HIGH_WATER + (2 << 20))
    for _ in range(400):  # the sends themselves use up the rest
        answer = scene.send(60_000)
        if not accepted(answer):
            break
    scene.fill(0)
    check_refusal(scene.until("a refusal on a full disk", refused))
    # What the log's file has already is used up first.
    while scene.events("reserve_given_up") == 0 and len(scene.answered) < len(scene.stored) - 20:
        scene.work(1, size=200_000)
    check(scene.relay.alive, "the relay ended on a full disk")
    scene.check_reserve(False, given_up=1, taken=1)
    check_refusal(scene.send())
    scene.work(10)
    say(f"not a block left: the reserve is given up ({scene.disk.free() >> 10} KiB free), results go on")

    scene.filler.unlink()
    scene.until("recovery", accepted)
    scene.check_reserve(True, given_up=1, taken=2)
    say("space is back: the reserve is taken again")
    scene.work(10)
    scene.verify()
    scene.caller.close()
    scene.agent.close()
    scene.relay.stop()
    scene.relay.start()
    scene.caller = scene.relay.client(scene.relay.admin)
    scene.verify()
    say(f"{len(scene.stored)} acknowledged messages, {len(scene.answered)} answers, all there")
    scene.close()


if __name__ == "__main__":
    main(run)
