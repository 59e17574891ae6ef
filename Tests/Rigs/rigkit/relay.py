"""What every rig shares: starting, stopping and killing the relay, scratch space, exit codes.

Standard library only. The relay listens on 127.0.0.1, port 0; everything lies in .build/rigs.
"""
import argparse
import atexit
import base64
import ctypes
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

from .wire import Client

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRATCH = ROOT / ".build" / "rigs"
SKIPPED = 77  # the exit code that Tests/run reads as "skipped"
FINAL = 74  # the relay's exit code after an I/O error that is final for the process


class Failed(Exception):
    """The relay did what it must not do."""


def check(holds, text):
    if not holds:
        raise Failed(text)


def skip(name, why):
    print(f"SKIPPED: {name} ({why})", flush=True)
    sys.exit(SKIPPED)


def say(text):
    print(f"  {text}", flush=True)


def scratch(name):
    """A new directory that goes when the process ends, unless KEEP_RIGS is set."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=SCRATCH))
    if not os.environ.get("KEEP_RIGS"):
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def binary(build="release"):
    path = pathlib.Path(os.environ.get(f"RELAY_BINARY_{build.upper()}") or
                        ROOT / ".build" / build / "a2a-relay")
    check(path.exists(), f"{path} is missing: build it first (Tests/run does)")
    return str(path)


def seed(text):
    """A seed as it is given: a number, or `random` for a new one."""
    return int.from_bytes(os.urandom(4), "big") if text == "random" else int(text)


def main(run, **options):
    """Runs a rig: `run(args)`; turns what it raises into an exit code. SIGTERM cleans up too."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--seed", type=seed, default=os.environ.get("TEST_SEED", "1"))
    for name, default in options.items():
        kind = {"type": type(default)} if default is not True and default is not False else {
            "action": "store_true"}
        parser.add_argument("--" + name.replace("_", "-"), default=default, **kind)
    args = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    random.seed(args.seed)
    say(f"seed {args.seed} (--seed random draws another)")
    start = time.monotonic()
    try:
        run(args)
    except Failed as failure:
        print(f"  FAILED: {failure} (seed {args.seed})", flush=True)
        sys.exit(1)
    say(f"done in {time.monotonic() - start:.1f} s")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    os.setpgid(0, 0)  # a Ctrl-C at the terminal is the rig's to handle


class Relay:
    """One relay process on one data directory; `start` may be called again after its end."""

    def __init__(self, data, build="release", args=(), env=None, preload=None, boot_id=None):
        self.data = pathlib.Path(data)
        self.build, self.args, self.env = build, list(args), dict(env or {})
        self.preload, self.boot_id = preload, boot_id
        self.log = self.data.with_name(self.data.name + ".log")
        self.output = self.data.with_name(self.data.name + ".out")
        self.process = self.admin = self.url = self.port = None
        atexit.register(self.kill)

    def start(self, limit=30):
        command = [binary(self.build), "serve", "--listen", "127.0.0.1:0",
                   "--data", str(self.data)] + self.args
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("A2A_RELAY_") and k != "ADMIN_TOKEN"} | self.env
        if self.preload:
            command = ["env", f"LD_PRELOAD={self.preload}"] + command
        if self.boot_id:
            script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
            command = ["unshare", "-m", "--propagation", "private",
                       "sh", "-c", script, str(self.boot_id)] + command
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                preexec_fn=die_with_parent)
        line = self._ready_line(time.monotonic() + limit)
        if line is None:
            code = self.process.poll()
            self.kill()
            raise Failed(f"no ready line within {limit} s (exit {code}); log: {self.log_tail()}")
        with open(self.output, "ab") as output:
            output.write(line)
        self.url = line.decode().split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1].strip("/"))
        if self.admin is None:
            token = self.data / "admin-token"
            self.admin = self.env.get("ADMIN_TOKEN") or token.read_text().strip()
        return self

    def _ready_line(self, deadline):
        text, pipe = b"", self.process.stdout.fileno()
        while time.monotonic() < deadline:
            if select.select([pipe], [], [], 0.1)[0]:
                more = os.read(pipe, 4096)
                text += more
                for line in text.splitlines(keepends=True):
                    if b"http://" in line and line.endswith(b"\n"):
                        return line
                if not more:
                    return None
        return None

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.alive:
            os.kill(self.process.pid, number)

    def pause(self):
        """SIGSTOP, and waits until it stands: what is sent now arrives in one turn of its loop."""
        self.signal(signal.SIGSTOP)
        stat = pathlib.Path("/proc", str(self.process.pid), "stat")
        for _ in range(1000):
            if stat.read_text().rsplit(")", 1)[1].split()[0] in "Tt":
                return
            time.sleep(0.001)
        raise Failed("the relay does not stop at SIGSTOP")

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9, and waits until the process is gone."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        self.process = None

    def wait(self, limit):
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, limit=15):
        self.signal(signal.SIGTERM)
        code = self.wait(limit)
        check(code == 0, f"exit code {code} after SIGTERM, within {limit} s; {self.log_tail()}")
        self.kill()

    def log_tail(self, lines=5):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return " | ".join(text.splitlines()[-lines:])

    def client(self, token=None, timeout=30, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return Client(self.port, headers, timeout)

    def workspace(self, name="agent", **members):
        """Creates a workspace and registers its agent; (id, token)."""
        with self.client(self.admin) as admin:
            made = admin.call("POST", "/workspaces", {"name": name, **members})
            check(made.status == 201, f"creating a workspace: {made}")
            identity = made.json["id"]
            registered = admin.call("POST", "/registry/register", {"id": identity})
            check(registered.status == 200, f"registering: {registered}")
            return identity, registered.json["auth_token"]


def spellings(token):
    """A secret as it might be found: raw, and in base64 at each of the three alignments."""
    raw = token.encode()
    found = [raw]
    for pad in range(3):
        text = base64.b64encode(b"\0" * pad + raw)[4 if pad else 0:-4]
        found += [text, text.replace(b"+", b"-").replace(b"/", b"_")]
    return found


def new_id():
    return str(uuid.uuid4())
