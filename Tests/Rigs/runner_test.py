"""The runner of the rigs is tested with made-up rigs: limits, order, output, count, exit status.

    runner_test.py
"""
import pathlib
import subprocess
import time

from rigkit.relay import ROOT, check, main, say, scratch

SCRIPT = """set -uo pipefail
. deploy/lib.sh
lanes=2 logs={folder}/logs allow_skips={allow}
. Tests/Rigs/rigkit/runner.sh
trap stop_rigs EXIT
trap 'exit 1' TERM
{rigs}
report
"""
# A rig that ends only when its partner runs at the same time.
MEET = "sh -c 'echo {0} begins; touch {folder}/{0}; until [ -e {folder}/{1} ]; do :; done; echo {0} ends'"


def begin(folder, rigs, allow=""):
    script = SCRIPT.format(folder=folder, allow=allow, rigs="\n".join(rigs))
    return subprocess.Popen(["bash", "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def told(rigs, allow="", folder=None):
    """What a run of such rigs prints, as lines, and its exit status."""
    process = begin(folder or scratch("runner"), rigs, allow)
    output, _ = process.communicate(timeout=40)
    return output.splitlines(), process.returncode


def counts():
    lines, status = told(["rig good 9 alone true", "rig bad 9 beside sh -c 'echo why; exit 3'",
                          "rig absent 9 beside sh -c 'exit 77'", "rig slow 1 beside sleep 30"])
    check(lines[-1] == "1 passed, 3 failed" and status == 1, f"{status}: {lines}")
    check(set(lines[-3].split()) == {"failed:", "bad", "absent", "slow"}, f"not named: {lines[-3]}")
    check("failed: bad (exit code 3, 0 s)" in lines and "why" in lines, f"no reason: {lines}")
    check(any(line.startswith("failed: slow took longer than its limit") for line in lines),
          f"not ended by its limit: {lines}")
    lines, status = told(["rig good 9 beside true", "rig absent 9 alone sh -c 'exit 77'"], allow="yes")
    check(lines[-1] == "1 passed, 0 failed" and status == 0, f"a skip that is allowed: {lines}")
    lines, status = told(["rig absent 9 alone sh -c 'exit 77'"], allow="yes")
    check(status == 1, f"nothing has passed, and it says so as a success: {lines}")


def beside():
    """Two run at once, and the output of each stays together."""
    folder = scratch("runner")
    rigs = [f"rig {a} 20 beside " + MEET.format(a, b, folder=folder) for a, b in ("xy", "yx")]
    lines, status = told(rigs, folder=folder)
    check(status == 0, f"they did not run beside each other: {lines}")
    for name in "xy":
        at = lines.index(f"== {name}")
        check(lines[at + 1:at + 3] == [f"{name} begins", f"{name} ends"], f"mixed: {lines}")


def alone():
    """What runs alone begins after the others have ended, and what comes after it waits for it."""
    folder = scratch("runner")
    mark = "sh -c 'echo {0} begins >>{folder}/order; sleep 0.2; echo {0} ends >>{folder}/order'"
    rigs = [f"rig {name} 20 {how} " + mark.format(name, folder=folder)
            for name, how in (("before", "beside"), ("it", "alone"), ("after", "beside"))]
    lines, status = told(rigs, folder=folder)
    order = (folder / "order").read_text().split("\n")[:-1]
    check(status == 0 and order == [f"{name} {what}" for name in ("before", "it", "after")
                                    for what in ("begins", "ends")], f"{order} {lines}")


def interrupted():
    """SIGTERM to the runner ends the rigs that run."""
    folder = scratch("runner")
    process = begin(folder, [f"rig {name} 50 beside sh -c 'echo $$ >{folder}/{name}; exec sleep 40'"
                             for name in "xy"])
    pids = [read(folder / name) for name in "xy"]
    process.terminate()
    output, _ = process.communicate(timeout=30)
    left = [pid for pid in pids if pathlib.Path("/proc", pid).exists()]
    check(process.returncode == 1 and not left, f"{process.returncode}, {left} live on: {output}")


def read(path):
    for _ in range(1000):
        if path.exists() and path.read_text().strip():
            return path.read_text().strip()
        time.sleep(0.01)
    check(False, f"{path} was not written")


def run(_):
    for test in (counts, beside, alone, interrupted):
        test()
    say("counts, limits, order and output are right")


if __name__ == "__main__":
    main(run)
