"""The relay as a service: what systemd is told, and whether the unit's sandbox lets it work.

    service.py

There is no systemd to run it under, so this plays its part: a datagram socket, the variables, the
signals. The unit itself is read by systemd-analyze, and every system call of a working relay is held
against the unit's filter.
"""
import os
import re
import select
import shutil
import signal
import socket
import subprocess

import rpc
from relaykit import ROOT, Relay, binary, check, main, say, scratch, skip

UNIT = ROOT / "deploy" / "a2a-relay.service"
WATCHDOG = 1.5  # seconds; signs of life come three times as often
EXPOSURE_MAX = 2.0


class Manager:
    """The socket that a service manager listens at."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        name = address if isinstance(address, str) else "@" + address[1:].decode()
        self.variables = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))}

    def hears(self, limit):
        """The next datagram, or None within `limit` seconds."""
        if select.select([self.socket], [], [], limit)[0]:
            return self.socket.recv(4096).decode()
        return None

    def drain(self):
        while self.hears(0):
            pass


def notified(folder, address):
    manager = Manager(address)
    relay = Relay(folder / f"data{len(address)}", env=manager.variables).start()
    ready = manager.hears(10)
    check(ready and ready.startswith("READY=1\n") and relay.url.split("//")[1] in ready, f"{ready}")
    for _ in range(3):
        check(manager.hears(WATCHDOG) == "WATCHDOG=1", "no sign of life in time")
    relay.pause()
    manager.drain()
    check(manager.hears(WATCHDOG) is None, "a relay that stands still gives signs of life")
    relay.resume()
    check(manager.hears(WATCHDOG) == "WATCHDOG=1", "no sign of life after it goes on")
    manager.drain()
    relay.signal(signal.SIGTERM)
    check(manager.hears(5) == "STOPPING=1", "SIGTERM is not announced")
    check(relay.wait(15) == 0, "exit status after SIGTERM")
    relay.kill()
    output = relay.output.read_text() + relay.log.read_text()
    check(relay.admin not in output, "the new admin token is in the service's journal")


def without_manager(folder):
    relay = Relay(folder / "silent", env={"NOTIFY_SOCKET": str(folder / "nobody")}).start()
    with relay.client() as client:
        check(client.call("GET", "/health").status == 200, "a relay nobody listens to")
    relay.stop()
    check("notify_failed" in relay.log.read_text(), "the failure is not in the log")


def copied(folder):
    """The cold backup of docs/operations.md: a relay on a copy goes on where the first one stood."""
    relay = Relay(folder / "original").start()
    space, token = relay.workspace()
    with relay.client(relay.admin) as caller:
        body, headers = rpc.send("kept", blocking=False)
        sent = caller.call("POST", f"/w/{space}/", body, headers)
    relay.stop()
    subprocess.run(["cp", "-a", str(relay.data), str(folder / "copy")], check=True)
    copy = Relay(folder / "copy").start()
    with copy.client(token) as agent:
        entry = agent.call("GET", f"/workspaces/{space}/inbox?wait=5").json["messages"][0]
    check(entry["id"] == sent.headers["x-relay-message-id"], f"{entry}")
    copy.stop()
    say("a copy of the data directory goes on where the relay stood")


def allowed():
    """The names of the system calls that the unit's filter lets through."""
    sets, names = {}, set()
    for line in subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True,
                               text=True, check=True).stdout.splitlines():
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if line.startswith("@"):
            current = sets.setdefault(line.strip(), [])
        elif line.strip() and not line.strip().startswith("#"):
            current.append(line.strip())

    def expanded(name):
        return {n for m in sets[name] for n in expanded(m)} if name in sets else {name}
    for line in UNIT.read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            value = line.partition("=")[2]
            calls = {n for word in value.lstrip("~").split() for n in expanded(word)}
            names = names - calls if value.startswith("~") else names | calls
    return names | expanded("@default")


def sandbox(folder):
    """What a relay does from start to end, as strace saw it, is in the filter."""
    trace = folder / "trace"
    relay = Relay(folder / "traced")
    wrapper = folder / "relay"
    wrapper.write_text(f'#!/bin/sh\nexec strace -f -qq -o {trace} {binary()} "$@"\n')
    wrapper.chmod(0o755)
    os.environ["A2A_RELAY_TRACED"] = str(wrapper)
    relay.build = "traced"
    relay.start()
    # Several workspaces in one round: syncfs, and each file's first write.
    spaces = [relay.workspace(f"agent {n}") for n in range(6)]
    relay_pid = int(subprocess.run(["pgrep", "-P", str(relay.process.pid)], capture_output=True,
                                   text=True, check=True).stdout.split()[0])
    for space, token in spaces:
        with relay.client(relay.admin) as caller, relay.client(token) as agent:
            caller.call("POST", f"/w/{space}/", *rpc.send("x" * 200_000, blocking=False,
                                                          message_id=space))
            entry = agent.call("GET", f"/workspaces/{space}/inbox?wait=5").json["messages"][0]
            done = agent.call("POST", f"/workspaces/{space}/inbox/{entry['id']}/result",
                              {"text": "done"}, {"X-Relay-Lease": entry["lease"]["token"]})
            check(done.status == 200, f"a result: {done}")
    os.kill(relay_pid, signal.SIGTERM)
    check(relay.wait(15) == 0, "exit status of the traced relay")
    calls = trace.read_text()
    # The first one is strace's, of the relay itself.
    started = re.findall(r"^\d+ +(?:execve|execveat|fork|vfork)\(.*", calls, re.M)[1:]
    check(not started, f"the relay starts programs: {started}")
    outgoing = re.findall(r"^\d+ +connect\(\d+, \{sa_family=AF_INET.*", calls, re.M)
    check(not outgoing, f"the relay makes connections: {outgoing}")
    used = set(re.findall(r"^\d+ +(\w+)\(", calls, re.M))
    # Only as root does SQLite give new files to the folder's owner.
    surplus = used - allowed() - ({"fchown"} if os.geteuid() == 0 else set())
    check(not surplus, f"system calls that the unit's filter refuses: {sorted(surplus)}")
    needed = {"syncfs", "fdatasync", "fallocate", "epoll_wait", "timerfd_create", "signalfd4"}
    check(needed <= allowed(), f"not in the unit's filter: {needed - allowed()}")
    say(f"{len(used)} kinds of system calls, all in the unit's filter")


def unit(folder):
    """systemd's own opinion of the unit."""
    copy = folder / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/local/bin/a2a-relay", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True,
                              text=True)
    said = verified.stdout + verified.stderr
    check(verified.returncode == 0 and UNIT.name not in said, f"systemd-analyze verify: {said}")
    rated = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                            str(copy)], capture_output=True, text=True)
    level = re.search(r"Overall exposure level[^:]*: ([0-9.]+)", rated.stdout)
    check(level, f"systemd-analyze security: {rated.stdout[-300:]} {rated.stderr}")
    check(float(level[1]) <= EXPOSURE_MAX, f"exposure {level[1]}")
    say(f"the unit is valid, its exposure level is {level[1]}")


def run(args):
    folder = scratch("service")
    notified(folder, str(folder / "notify"))
    notified(folder, b"\0a2a-relay-rig-%d" % os.getpid())
    without_manager(folder)
    copied(folder)
    say("READY, WATCHDOG and STOPPING arrive, by a path and by an abstract name")
    for tool in ("systemd-analyze", "strace", "pgrep"):
        if not shutil.which(tool):
            skip("service", f"{tool} is not installed; only the notifications were tested")
    unit(folder)
    sandbox(folder)


if __name__ == "__main__":
    main(run)
