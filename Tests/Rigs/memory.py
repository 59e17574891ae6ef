"""Answers that nobody reads: memory stays bounded, the relay goes on, and it all comes back.

    memory.py

Many callers ask for one large answer at the same time and take no byte of it. The control raises the
bound, and must be seen to break it: else the load would prove nothing.
"""
import pathlib
import socket
import time

import rpc
from relaykit import Relay, check, main, new_id, say, scratch

CALLERS, ANSWER = 120, 8 << 20
BOUND = 64 << 20
# What one more answer in the making, buffers of the kernel's side and the store's cache may add.
SPARE = 192 << 20


def resident(relay):
    """Resident memory in bytes."""
    for line in pathlib.Path(f"/proc/{relay.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    check(False, "the relay has no resident memory: it is gone")


def answered(relay):
    """A workspace's token, and the path of a message whose answer is large."""
    space, token = relay.workspace()
    with relay.client(relay.admin) as caller, relay.client(token) as agent:
        body, headers = rpc.send("large", blocking=False, message_id=new_id())
        sent = caller.call("POST", f"/w/{space}/", body, headers)
        base = f"/workspaces/{space}/inbox"
        entry = agent.call("GET", f"{base}?wait=5").json["messages"][0]
        done = agent.call("POST", f"{base}/{entry['id']}/result", {"text": "x" * ANSWER},
                          {"X-Relay-Lease": entry["lease"]["token"]})
        check(done.status == 200, f"a large result: {done}")
        return "/messages/" + sent.headers["x-relay-message-id"]


def ask(relay, path):
    """Asks, through a window that takes next to nothing, and reads nothing."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asking.settimeout(30)
    asking.connect(("127.0.0.1", relay.port))
    asking.sendall(f"GET {path} HTTP/1.1\r\nHost: relay\r\nX-Relay-Key: {relay.admin}\r\n\r\n".encode())
    return asking


def crowd(relay, path):
    """Everybody asks and nobody reads: the sockets, and the most memory that was seen."""
    before, most, crowd = resident(relay), 0, []
    for _ in range(CALLERS):
        crowd.append(ask(relay, path))
        most = max(most, resident(relay) - before)
    with relay.client() as probe:  # it answers others, and so it has seen everybody who asked
        check(probe.call("GET", "/health").status == 200, "no answer while nobody reads")
    return crowd, max(most, resident(relay) - before)


def status_of(asking):
    """The status line, all that is read of an answer."""
    line = b""
    while not line.endswith(b"\r\n"):
        byte = asking.recv(1)
        check(byte, "a connection ended without an answer")
        line += byte
    return int(line.split()[1])


def held(folder):
    relay = Relay(folder / "data", args=["--limit", f"bodiesInMemoryMax={BOUND}"]).start()
    path = answered(relay)
    sockets, most = crowd(relay, path)
    say(f"{CALLERS} unread answers of {ANSWER >> 20} MiB took {most >> 20} MiB, "
        f"the bound is {BOUND >> 20} MiB")
    check(most < BOUND + SPARE, f"{most >> 20} MiB for a bound of {BOUND >> 20} MiB")
    found = [status_of(asking) for asking in sockets]
    check(set(found) == {200, 503}, f"statuses {sorted(set(found))} instead of 200 and 503")
    say(f"{found.count(200)} were answered, {found.count(503)} were refused with 503")
    for asking in sockets:
        asking.close()
    with relay.client(relay.admin) as caller:
        for _ in range(100):  # until the relay has seen that they are gone
            answer = caller.call("GET", path)
            if answer.status == 200:
                break
            time.sleep(0.05)
        check(len(answer.body) > ANSWER, f"no answer after everybody has gone: {answer.status}")
    relay.stop()


def control(folder):
    relay = Relay(folder / "control", args=["--limit", "bodiesInMemoryMax=10000000000"]).start()
    sockets, most = crowd(relay, answered(relay))
    for asking in sockets:
        asking.close()
    check(most > BOUND + SPARE, f"the control took only {most >> 20} MiB: this load proves nothing")
    say(f"without the bound they take {most >> 20} MiB: the control breaks it, as it must")
    relay.kill()


def run(_):
    folder = scratch("memory")
    held(folder)
    control(folder)


if __name__ == "__main__":
    main(run)
