"""A machine for the unit: mounts and a network of its own, `systemctl`, `sudo`, and the unit's sandbox.

There is no systemd to run the unit under. What of it decides where the relay can write is done here
as the unit says: its user without rights, what is read-only, hidden or replaced, its directories. All
else of the machine is the rig's own process, after `enter`.
"""
import atexit
import ctypes
import os
import pathlib
import re
import shutil
import subprocess

from .relay import Failed, check

PROGRAM = "/usr/local/bin/a2a-relay"
USER, NUMBER = "a2a-relay", 61234
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000

SUDO = """#!/bin/sh
[ "$1" = -u ] || exec "$@"
user=${2#\\#}
shift 2
exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
"""

# `grep` waits for the line that says that the relay is ready, or for its end.
SYSTEMCTL = """#!/bin/sh
set -eu
cd {run}
case $1 in
start)
  rm -f ready; mkfifo ready
  number=$(ls | grep -c '^trace' || true)
  strace -f -qq -o trace$number unshare --mount ./service >ready 2>>journal </dev/null &
  echo $! >pid
  grep -q "ready on" <ready ;;
stop)
  tracer=$(cat pid)
  kill "$(pgrep -P "$tracer")"
  tail --pid="$tracer" -f /dev/null ;;
*) exit 64 ;;
esac
"""


class Machine:
    def __init__(self, folder, unit):
        self.run = folder / "machine"
        self.lib = folder / "lib"
        self.unit = {}
        for line in unit.read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                self.unit.setdefault(key, []).append(value)
        self.states = [pathlib.Path("/var/lib", name) for name in self.one("StateDirectory").split()]

    def one(self, key, default=""):
        return self.unit.get(key, [default])[-1]

    def enter(self, binary):
        """This process is on the machine from now on, and so is all that it starts."""
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
            raise Failed(f"unshare: {os.strerror(ctypes.get_errno())}")
        self.run.mkdir()
        self.lib.mkdir()
        self.call("mount", "--make-rprivate", "/")
        self.call("ip", "link", "set", "lo", "up")
        for name, line in (("passwd", f"{USER}:x:{NUMBER}:{NUMBER}::/:/bin/false\n"),
                           ("group", f"{USER}:x:{NUMBER}:\n")):
            (self.run / name).write_text(pathlib.Path("/etc", name).read_text() + line)
            self.call("mount", "--bind", str(self.run / name), f"/etc/{name}")
        self.call("mount", "--bind", str(self.lib), "/var/lib")
        for place in ("/usr/local/bin", "/mnt"):
            self.call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
        os.mkdir("/mnt/elsewhere")
        shutil.copy(binary, PROGRAM)
        for path, text in ((pathlib.Path("/usr/local/bin/sudo"), SUDO),
                           (pathlib.Path("/usr/local/bin/systemctl"),
                            SYSTEMCTL.format(run=self.run)),
                           (self.run / "service", self.service())):
            path.write_text(text)
            path.chmod(0o755)
        for state in self.states:
            state.mkdir(int(self.one("StateDirectoryMode", "755"), 8))
            os.chown(state, NUMBER, NUMBER)
        atexit.register(self.stop)

    def service(self):
        """What systemd does before it starts the program, as a script."""
        lines = ["#!/bin/sh", "set -e", "mount --make-rprivate /"]
        lines += [f"mount --bind {state} {state}" for state in self.states]
        if self.one("ProtectSystem") == "strict":
            kept = "|".join(["/proc*", "/sys*", "/dev*"] + [str(state) for state in self.states])
            lines += ["while read -r _ place _; do case $place in " + kept + ") ;;",
                      "  *) [ ! -e \"$place\" ] || mount -o remount,bind,ro \"$place\" ;; esac; done </proc/mounts"]
        if self.one("ProtectHome") == "yes":
            lines += [f"mount -t tmpfs -o ro,mode=000 tmpfs {home}" for home in ("/home", "/root")]
        if self.one("PrivateTmp") == "yes":
            lines += [f"mount -t tmpfs -o mode=1777 tmpfs {tmp}" for tmp in ("/tmp", "/var/tmp")]
        for item in self.one("TemporaryFileSystem").split():
            place, _, options = item.partition(":")
            lines.append(f"mount -t tmpfs -o {options or 'rw'} tmpfs {place}")
        lines.append(f"umask {self.one('UMask', '0022')}")
        lines.append("cd /")
        settings = " ".join(f"'{setting}'" for setting in self.unit.get("Environment", []))
        lines.append(f"exec setpriv --reuid {self.one('User')} --regid {self.one('Group')} "
                     "--clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "
                     f"env -i {settings} {self.one('ExecStart')}")
        return "\n".join(lines) + "\n"

    def call(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        check(done.returncode == 0, f"{' '.join(command)}: {done.returncode} {done.stderr.strip()}")

    def bash(self, script, status=0, **variables):
        """What an operator types as root; what it prints."""
        environment = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **variables}
        done = subprocess.run(["bash", "-euc", script], env=environment, cwd="/", timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        told = done.stdout + done.stderr
        check(done.returncode == status, f"{script.strip()}: {done.returncode} {told} {self.journal()}")
        return told

    def stop(self):
        """Ends what a test that failed has left."""
        tracer = self.run / "pid"
        if tracer.exists() and pathlib.Path("/proc", tracer.read_text().strip()).exists():
            subprocess.run(["/usr/local/bin/systemctl", "stop"], timeout=30, capture_output=True)

    def journal(self):
        path = self.run / "journal"
        return path.read_text()[-600:] if path.exists() else ""

    def traces(self):
        """The system calls of the relay's own program, of each start, without what came before it."""
        found = []
        for path in sorted(self.run.glob("trace*")):
            lines = path.read_text(errors="replace").splitlines()
            first = [n for n, line in enumerate(lines) if f'execve("{PROGRAM}"' in line]
            check(len(first) == 1, f"{path.name}: the program was started {len(first)} times")
            found += lines[first[0] + 1:]
        return found


def leaves(lines):
    """The calls by which a process would reach out of itself: a connection, another program."""
    called = re.compile(r"^\d+ +(?:(?:connect|sendto|sendmsg)\(.*sa_family=AF_INET|execve|v?fork\()")
    process = re.compile(r"^\d+ +clone3?\((?!.*CLONE_THREAD)")
    return [line for line in lines if called.search(line) or process.search(line)]
