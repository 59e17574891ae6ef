"""The relay as a service: what systemd is told, and whether the unit's sandbox lets it work.

    service.py

There is no systemd to run it under, so this plays its part: a datagram socket, the variables, the
signals; for the unit's sandbox machine.py. The unit itself is read by systemd-analyze; the runbooks
of docs/backup.md are run against a relay in that sandbox, and every system call of it is held
against the unit's filter.
"""
import os
import re
import select
import shutil
import signal
import socket
import subprocess

from rigkit import rpc
from rigkit.machine import NUMBER, Machine, leaves
from rigkit.pages import blocks
from rigkit.relay import ROOT, Relay, binary, check, main, say, scratch, skip

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
    """The cold backup of docs/backup.md: a relay on a copy goes on where the first one stood."""
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


def exchange(relay, spaces):
    """Sends, polls and results, with several workspaces at work."""
    for space, token in spaces:
        with relay.client(relay.admin) as caller, relay.client(token) as agent:
            caller.call("POST", f"/w/{space}/", *rpc.send("x" * 200_000, blocking=False,
                                                          message_id=space))
            entry = agent.call("GET", f"/workspaces/{space}/inbox?wait=5").json["messages"][0]
            done = agent.call("POST", f"/workspaces/{space}/inbox/{entry['id']}/result",
                              {"text": "done"}, {"X-Relay-Lease": entry["lease"]["token"]})
            check(done.status == 200, f"a result: {done}")


def runbooks(machine, relay, space, token):
    """The commands of docs/backup.md, typed as they stand there, against the unit's sandbox."""
    page = blocks("docs/backup.md", "Back up")
    check(len(page) == 3, f"{len(page)} blocks in Back up, this rig knows 3")
    backup, restore, one = page
    with relay.client(relay.admin) as caller:
        caller.call("POST", f"/w/{space}/", *rpc.send("kept", blocking=False, message_id="kept"))
    operator = "sudo -u a2a-relay a2a-relay {} --data /var/lib/a2a-relay"
    nowhere = f"/tmp/a2a-relay-rig-{os.getpid()}"
    told = machine.bash(operator.format("backup " + nowhere), status=1)
    check("read-only" in told and not os.path.exists(nowhere), f"a backup into /tmp: {told}")
    machine.bash(backup)
    for folder in ("/var/lib/a2a-relay-backups/monday", "/mnt/elsewhere/monday"):
        check(os.path.exists(folder + "/manifest.json"), f"no backup in {folder}")
        check(os.stat(folder + "/relay.db").st_uid == NUMBER, f"whose is {folder}?")
    machine.bash(operator.format(f"purge --workspace {space} --state answered --yes --wait"))
    machine.bash(one, ID=space)
    check(waits(relay, space) == 1, "the message came back with its workspace")
    told = machine.bash("a2a-relay restore /var/lib/a2a-relay-backups/monday "
                        "--data /var/lib/a2a-relay", status=1)
    check(f"sudo -u '#{NUMBER}'" in told, f"restore as root: {told}")
    with relay.client(relay.admin) as caller:
        caller.call("POST", f"/w/{space}/", *rpc.send("late", blocking=False, message_id="late"))
    check(waits(relay, space) == 2, "a message after the backup")
    machine.bash(restore)
    check(waits(relay, space) == 1, "the restored relay stands where the backup was made")
    with relay.client(token) as agent:
        entry = agent.call("GET", f"/workspaces/{space}/inbox?wait=5").json["messages"][0]
    check(entry["text"] == "kept", f"{entry}")
    say("the runbooks of docs/backup.md, word for word in the unit's sandbox")


def waits(relay, space):
    with relay.client(relay.admin) as operator:
        return operator.call("GET", f"/workspaces/{space}/queue").json["counts"]["unanswered"]


def sandbox(folder):
    """The relay as the unit starts it: where it writes, and every system call, as strace saw it."""
    machine = Machine(folder, UNIT)
    machine.enter(binary())
    machine.bash("systemctl start a2a-relay")
    relay = Relay("/var/lib/a2a-relay")
    relay.port = 8080
    relay.admin = (relay.data / "admin-token").read_text().strip()
    spaces = [relay.workspace(f"agent {n}") for n in range(6)]
    exchange(relay, spaces)
    runbooks(machine, relay, *spaces[0])
    machine.bash("systemctl stop a2a-relay")
    trace = machine.traces()
    used = {found[1] for found in (re.match(r"^\d+ +(\w+)\(", line) for line in trace) if found}
    surplus = used - allowed()
    check(not surplus, f"system calls that the unit's filter refuses: {sorted(surplus)}")
    needed = {"syncfs", "fdatasync", "fallocate", "epoll_wait", "timerfd_create", "signalfd4"}
    check(needed <= allowed(), f"not in the unit's filter: {needed - allowed()}")
    check(not leaves(trace), f"the relay reaches out: {leaves(trace)[:3]}")
    # The control: a command does connect, and a shell starts a program.
    machine.bash(f"strace -f -o {machine.run}/control sh -c 'a2a-relay health || true'")
    control = leaves((machine.run / "control").read_text().splitlines())
    check(any("connect(" in line for line in control) and
          any("execve(" in line for line in control), f"the control: {control}")
    say(f"{len(used)} kinds of system calls, all in the unit's filter; none connects or executes")


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
    for tool in ("systemd-analyze", "strace", "pgrep", "setpriv", "unshare", "ip"):
        if not shutil.which(tool):
            skip("service", f"{tool} is not installed; only the notifications were tested")
    unit(folder)
    if os.geteuid() != 0:
        skip("service", "the sandbox needs root; only the unit was read")
    sandbox(folder)


if __name__ == "__main__":
    main(run)
