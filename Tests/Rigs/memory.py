"""Answers that nobody reads: memory stays bounded, the relay goes on, and it all comes back.

    memory.py

Many connections ask for one large answer at the same time, each several times without waiting, and take
no byte of it. Another credential must be served all the while. The control raises the bound, and must be
seen to break it: else the load would prove nothing.
"""
import json
import pathlib
import socket
import threading
import time

from rigkit import rpc
from rigkit.relay import Relay, check, main, new_id, say, scratch

CALLERS, ANSWER = 60, 8 << 20
PIPELINED = 20
BOUND = 128 << 20
# What one more answer in the making (its bytes in the file, in the parser and in the text) and the
# store's and the allocator's caches may add.
SPARE = 96 << 20
# The longest that another credential may wait for a small answer meanwhile, in seconds.
PATIENCE = 2


def resident(relay):
    """Resident memory in bytes."""
    for line in pathlib.Path(f"/proc/{relay.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    check(False, "the relay has no resident memory: it is gone")


def answered(relay):
    """A request for a large Task, and the path of its message."""
    space, token = relay.workspace()
    with relay.client(relay.admin) as caller, relay.client(token) as agent:
        body, headers = rpc.send("large", blocking=False, message_id=new_id())
        sent = caller.call("POST", f"/w/{space}/", body, headers)
        base = f"/workspaces/{space}/inbox"
        entry = agent.call("GET", f"{base}?wait=5").json["messages"][0]
        done = agent.call("POST", f"{base}/{entry['id']}/result", {"text": "x" * ANSWER},
                          {"X-Relay-Lease": entry["lease"]["token"]})
        check(done.status == 200, f"a large result: {done}")
        message = sent.headers["x-relay-message-id"]
    get = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": message}})
    request = (f"POST /w/{space}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Relay-Key: {relay.admin}\r\n"
               f"Content-Length: {len(get)}\r\n\r\n{get}").encode()
    return request, f"/messages/{message}"


def ask(relay, request):
    """Asks many times, through a window that takes next to nothing, and reads nothing."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asking.settimeout(30)
    asking.connect(("127.0.0.1", relay.port))
    asking.sendall(request * PIPELINED)
    return asking


class Victim:
    """Another credential, which sends, polls and answers until it is told to end."""

    def __init__(self, relay):
        self.relay, self.served, self.worst, self.faults = relay, 0, 0, []
        self.space, self.token = relay.workspace("victim")
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with self.relay.client(self.token) as client:
            while not self.is_over.wait(0.01):
                start = time.monotonic()
                body, headers = rpc.send("small", blocking=False, message_id=new_id())
                sent = client.call("POST", f"/w/{self.space}/", body, headers)
                entry = client.call("GET", f"/workspaces/{self.space}/inbox?wait=0")
                if sent.status != 200 or "result" not in sent.json or entry.status != 200:
                    self.faults.append(f"{sent} {entry}")
                    continue
                first = entry.json["messages"][0]
                done = client.call(
                    "POST", f"/workspaces/{self.space}/inbox/{first['id']}/result", {"text": "ok"},
                    {"X-Relay-Lease": first["lease"]["token"]})
                if done.status != 200:
                    self.faults.append(str(done))
                self.served += 1
                self.worst = max(self.worst, time.monotonic() - start)

    def end(self):
        self.is_over.set()
        self.thread.join()
        check(not self.faults, f"another credential was refused: {self.faults[:3]}")
        check(self.served > 10, f"another credential was served {self.served} times only")
        check(self.worst < PATIENCE, f"another credential waited {self.worst:.1f} s")
        say(f"another credential was served {self.served} times meanwhile, "
            f"in {self.worst:.2f} s at worst")


def crowd(relay, request):
    """Everybody asks and nobody reads: the sockets, and the most memory that was seen."""
    before, most, crowd = resident(relay), 0, []
    for _ in range(CALLERS):
        crowd.append(ask(relay, request))
        most = max(most, resident(relay) - before)
    for _ in range(40):  # what is put off is made by then
        with relay.client() as probe:
            check(probe.call("GET", "/health").status == 200, "no answer while nobody reads")
        most = max(most, resident(relay) - before)
        time.sleep(0.05)
    return crowd, most


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
    request, path = answered(relay)
    victim = Victim(relay)
    sockets, most = crowd(relay, request)
    victim.end()
    say(f"{CALLERS} connections with {PIPELINED} unread answers with {ANSWER >> 20} MiB of text "
        f"took {most >> 20} MiB, the bound is {BOUND >> 20} MiB")
    check(most < BOUND + SPARE, f"{most >> 20} MiB for a bound of {BOUND >> 20} MiB")
    found = [status_of(asking) for asking in sockets]
    # Refused by its head it is 503, later an error of JSON-RPC.
    check(set(found) <= {200, 503}, f"statuses {sorted(set(found))} instead of 200 and 503")
    say(f"{found.count(503)} were refused by their heads")
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
    relay = Relay(folder / "control", args=["--limit", "bodiesInMemoryMax=40000000000"]).start()
    sockets, most = crowd(relay, answered(relay)[0])
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
