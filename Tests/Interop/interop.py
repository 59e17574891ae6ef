"""The official A2A clients, unchanged and with their default time-outs, against the relay.

    interop.py --sdk 1.3.0        (or 0.3.26; without: both)

Each SDK gets a virtual environment in .build; pip fetches it the first time.
"""
import fcntl
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "Rigs"))
from rigkit.relay import ROOT, Failed, Relay, main, say, scratch, skip  # noqa: E402

VERSIONS = ["1.3.0", "0.3.26"]


def environment(version):
    """The Python of a virtual environment with that SDK. Rigs that need it at once wait for the first."""
    folder = ROOT / ".build" / f"venv-a2a-{version}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return installed(version, folder)


def installed(version, folder):
    python, mark = folder / "bin" / "python", folder / "installed"
    if not mark.exists():
        commands = [[sys.executable, "-m", "venv", str(folder)],
                    [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check",
                     f"a2a-sdk=={version}"]]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                skip(f"a2a-sdk {version}", (done.stderr or done.stdout).strip().splitlines()[-1])
        mark.touch()
    return python


def run(args):
    failed = []
    for version in [args.sdk] if args.sdk else VERSIONS:
        python = environment(version)
        relay = Relay(scratch("interop") / "data").start()
        say(f"a2a-sdk {version}")
        script = pathlib.Path(__file__).with_name("scenario.py")
        module = "official_" + version.replace(".", "_")
        done = subprocess.run(
            [str(python), str(script), module, str(relay.port), relay.admin], timeout=240)
        failed += [version] if done.returncode else []
        relay.stop()
    if failed:
        raise Failed("a2a-sdk " + ", ".join(failed))


if __name__ == "__main__":
    main(run, sdk="")
