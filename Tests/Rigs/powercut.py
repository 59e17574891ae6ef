"""Power cuts under load: nothing acknowledged is lost, through both forms of the barrier.

    powercut.py [--rounds 6] [--seed N]    that many cuts with each form
    powercut.py --control                  syncs that do nothing must be detected, in each form

The data directory lies on a loop-mounted ext4, which is shut down at a random moment. Each restart
sees another boot id. Six or more workspaces have work at once, so that `--barrier auto` uses syncfs.
"""
from rigkit import disks
from rigkit.campaign import Campaign, expect_detection, limits, report, tempers
from rigkit.relay import Failed, Relay, check, main, say, scratch, skip
from rigkit.shim import Shim

FORMS = {"fdatasync": ["--barrier", "fdatasync"], "syncfs": ["--barrier", "auto"]}
UNUSED = {"fdatasync": "syncfs"}


class PowerCut(Campaign):
    """A campaign whose crash is the power cut and whose recovery is a new boot."""

    KEEPS_HAND_OUTS = False

    def __init__(self, disk, relay, shim, folder, rounds, temper):
        super().__init__(relay, folder, rounds, self.cut, self.power_up, temper)
        self.disk, self.shim, self.boot, self.swallows = disk, shim, folder, False

    def cut(self):
        self.disk.cut()
        self.relay.kill()

    def power_up(self):
        self.shim["swallow"] = 0
        self.disk.power_up()
        self.relay.boot_id = disks.other_boot(self.boot)
        self.relay.start(limit=60)
        self.swallow()

    def swallow(self):
        """For the control: what is there is durable, what comes now is not."""
        if self.swallows:
            self.disk.sync()
            self.shim["swallow"] = 1


def start(form, folder, temper):
    disk, shim = disks.LoopDisk("ext4", 512), Shim(folder)
    relay = Relay(disk.data, args=FORMS[form] + limits(temper), preload=shim.library,
                  env=shim.environment())
    relay.log, relay.output = folder / "relay.log", folder / "relay.out"
    return disk, relay, shim


def run(args):
    why = disks.missing()
    if why:
        skip("power cut", why)
    for form in FORMS:
        if args.control:
            control(form)
            continue
        for temper, rounds in tempers(args.rounds):
            cuts(form, rounds, temper)


def cuts(form, rounds, temper):
    say(f"barrier {form}, {temper}: {rounds} power cuts")
    folder = scratch("powercut")
    disk, relay, shim = start(form, folder, temper)
    relay.start()
    one = PowerCut(disk, relay, shim, folder, rounds, temper)
    report(one, one.run())
    check(shim[form] > 0, f"this form of the barrier was never used ({form})")
    say(f"{shim['fdatasync']} fdatasync, {shim['syncfs']} syncfs")
    if form in UNUSED:
        check(shim[UNUSED[form]] == 0, f"--barrier {form} used {UNUSED[form]}")
    relay.stop()
    disk.close()


def control(form):
    say(f"negative control: barrier {form}, the syncs do nothing")
    folder = scratch("powercut")
    disk, relay, shim = start(form, folder, "as shipped")
    relay.start()
    one = PowerCut(disk, relay, shim, folder, 10, "as shipped")
    begin, one.swallows = one._begin, True

    def begin_swallowing(pairs):
        one.swallow()
        begin(pairs)

    one._begin = begin_swallowing
    try:
        broken = one.run(stop_early="lost")
    except Failed as failure:  # the relay cannot start on what is left
        broken = [f"everything is lost: {failure}"]
    relay.kill()
    expect_detection(one, broken, form, "lost")
    disk.close()


if __name__ == "__main__":
    main(run, rounds=6, control=False)
