"""The agents that people copy, as they stand in the documents: do they outlive what happens?

    agents.py

Each one (deploy/agent.py, the two of docs/protocol.md, the worker of docs/platform-tutorial.md) works through a
refused connection, a restart of the relay, a connection that breaks, 503, and refusals of its result;
no result is lost on the way, and it ends by itself, with a sentence, when its token is revoked or its
workspace is removed. The `once` of docs/callers.md stores one message through the same.

The faults come from a gate between the two that answers in the relay's place when it is told to.

A control: an agent that gives up at the first fault is found out.
"""
import http.client
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

from rigkit import rpc
from rigkit.pages import blocks
from rigkit.relay import ROOT, Relay, check, main, new_id, say, scratch
from tutorial import provide_requests

LIMIT = 60  # seconds that anything may take; an agent pauses 1, 2, 4 … s between its tries


class Gate(http.server.ThreadingHTTPServer):
    """Forwards to the relay. Of requests whose path ends with a word it breaks the next ones."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, relay):
        self.relay, self.plan, self.results, self.polls = relay, [], [], 0
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def breaks(self, word, *faults):
        """Each fault is a status, or "reset"."""
        self.plan = [(word, fault) for fault in faults]

    def handle_error(self, *_):
        pass  # its client has gone: agents are ended while they poll


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.pass_on()

    def do_POST(self):
        self.pass_on()

    def pass_on(self):
        gate, path = self.server, self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        gate.polls += path.endswith("/inbox")
        fault = None
        if gate.plan and path.endswith(gate.plan[0][0]):
            fault = gate.plan.pop(0)[1]
        if path.endswith("/result"):
            gate.results.append((fault, body))
        if fault is None:
            self.forward(body)
        elif fault == "reset":
            self.reset()
        else:
            self.answer(fault, b'{"error":"planned by the rig","code":"planned"}')

    def forward(self, body):
        try:
            relay = http.client.HTTPConnection("127.0.0.1", self.server.relay.port, timeout=LIMIT)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            relay.request(self.command, self.path, body, headers)
            answer = relay.getresponse()
            self.answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            self.reset()

    def answer(self, status, body):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if status == 204 else body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class Agent:
    """A program of the documents, with its output in a file."""

    def __init__(self, folder, name, command, url, space, token):
        self.name, self.output = name, folder / f"{name}.out"
        environment = dict(os.environ, RELAY=url, ID=space, WORKSPACE=space, TOKEN=token,
                           PYTHONUNBUFFERED="1")
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.STDOUT)

    @property
    def text(self):
        return self.output.read_text(errors="replace")

    def ends(self, because):
        """By itself, soon, and with a sentence that names the status."""
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            code = None
        check(code == 1 and "does not want this agent any more" in self.text and because in self.text,
              f"{self.name} ended with {code}: {self.text[-500:]}")
        check("Traceback" not in self.text, f"{self.name}: {self.text[-800:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()


def programs(folder):
    """name: command of each agent."""
    curl, = blocks("docs/protocol.md", "A complete agent in curl")
    python, = blocks("docs/protocol.md", "A complete agent in Python", "python")
    page, = blocks("docs/platform-tutorial.md", "In Python", "python")
    # Of the tutorial's program the agent alone: its functions, under a workspace that is there.
    functions = page[page.index("def ask("):page.index("threading.Thread(target=heartbeats")]
    platform = "\n".join([
        page[:page.index("PLATFORM_URL")],
        'PLATFORM_URL, WORKSPACE_ID = os.environ["RELAY"], os.environ["ID"]',
        'agent = {"Authorization": "Bearer " + os.environ["TOKEN"]}', functions,
        "threading.Thread(target=heartbeats, daemon=True).start()", "work()"])
    provide_requests(folder)
    texts = {"curl": curl, "python": python, "platform": platform}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {"agent.py": [sys.executable, str(ROOT / "deploy" / "agent.py")],
            "curl": ["bash", str(folder / "curl")],
            "python": [sys.executable, str(folder / "python")],
            "platform": [sys.executable, str(folder / "platform")]}


def ask(relay, space, text):
    """A message that nobody waits for; its id."""
    body, headers = rpc.send(text, blocking=False, message_id=new_id())
    with relay.client(relay.admin) as caller:
        sent = caller.call("POST", f"/w/{space}/", body, headers)
        check(rpc.task_of(sent.json), f"a send was not acknowledged: {sent}")
        return sent.headers["x-relay-message-id"]


def answered(relay, space, message, limit=LIMIT):
    """Whether the message is answered within the limit; how often it was handed out."""
    end = time.monotonic() + limit
    with relay.client(relay.admin) as operator:
        while time.monotonic() < end:
            seen = operator.call("GET", f"/workspaces/{space}/messages/{message}").json
            if seen["state"] == "answered":
                return sum(event["event"] == "handed_out" for event in seen["timeline"])
            time.sleep(0.1)
    return 0


def works(relay, agent, space, text):
    check(answered(relay, space, ask(relay, space, text)) == 1,
          f"{agent.name} does not answer {text}: {agent.text[-800:]}")


def through_faults(relay, gate, folder, name, command):
    space, token = relay.workspace(name)
    agent = Agent(folder, name, command, gate.url, space, token)
    works(relay, agent, space, "first")
    # The same bytes, until they are taken: at the first hand-out, so none was dropped.
    gate.breaks("/result", 503, "reset", 502)
    gate.results.clear()
    works(relay, agent, space, "results are repeated")
    faults, bodies = zip(*gate.results)
    check(faults == (503, "reset", 502, None) and len(set(bodies)) == 1, f"{name}: {gate.results}")
    # Polls that fail, too, and one that nothing came of.
    gate.breaks("/inbox", 204, "reset", 503)
    works(relay, agent, space, "polls are repeated")
    # A refusal is final: said once, and the next message is worked on.
    for status in (409, 400):
        gate.breaks("/result", status)
        gate.results.clear()
        refused = ask(relay, space, f"refused with {status}")
        works(relay, agent, space, f"after {status}")
        check([fault for fault, _ in gate.results] == [status, None], f"{name}: {gate.results}")
        check(f"the result of {refused} was refused" in agent.text, f"{name}: {agent.text[-500:]}")
    return agent, space


def stopped(relay, agents):
    """A restart, with a time in which nobody listens; each agent has tried in it."""
    marks = {agent: agent.text.count("trying again") for agent in agents}
    relay.stop()
    end = time.monotonic() + LIMIT
    while any(agent.text.count("trying again") < mark + 2 for agent, mark in marks.items()):
        check(time.monotonic() < end, "an agent does not try again while the relay is away")
        time.sleep(0.1)
    relay.start()


def faults(relay, gate, folder):
    agents = [through_faults(relay, gate, folder, name, command)
              for name, command in programs(folder).items()]
    stopped(relay, [agent for agent, _ in agents])
    for agent, space in agents:
        works(relay, agent, space, "after the restart")
    polls = gate.polls
    with relay.client(relay.admin) as operator:
        for n, (agent, space) in enumerate(agents):
            if n % 2:
                check(operator.call("DELETE", f"/workspaces/{space}").status == 200, "removing")
            else:
                check(operator.call("DELETE", f"/workspaces/{space}/tokens").status == 200, "revoking")
    for n, (agent, _) in enumerate(agents):
        agent.ends("410" if n % 2 else "401")
    check(gate.polls - polls <= 2 * len(agents), f"{gate.polls - polls} polls with dead tokens")
    say(f"{len(agents)} agents outlive a restart, lose no result, and end when they are not wanted")


def directly(relay, folder):
    """Without the gate: a connection that is refused, at the start and between."""
    relay.args += ["--listen", f"127.0.0.1:{relay.port}"]
    made = [(name, command, *relay.workspace(name)) for name, command in programs(folder).items()]
    relay.stop()
    agents = [(Agent(folder, f"{name}-direct", command, relay.url.rstrip("/"), space, token), space)
              for name, command, space, token in made]
    end = time.monotonic() + LIMIT
    while not all("trying again" in agent.text for agent, _ in agents):
        check(time.monotonic() < end, "an agent does not start before its relay")
        time.sleep(0.1)
    relay.start()
    for agent, space in agents:
        works(relay, agent, space, "after a refused connection")
        agent.kill()
    say("and a refused connection")


def once(relay, gate, folder):
    found = [text for text in blocks("docs/callers.md", "Send") if "once()" in text]
    check(len(found) == 1, "docs/callers.md has no once()")
    space, token = relay.workspace("once")
    # Non-blocking: what is stored is answered at once.
    call, _ = rpc.send("once", blocking=False)
    (folder / "call.json").write_text(json.dumps(call))

    def runs(secret, **environment):
        return subprocess.run(
            ["bash", "-c", found[0]], cwd=folder, capture_output=True, text=True, timeout=LIMIT,
            env=dict(os.environ, RELAY=gate.url, ID=space, SECRET=secret) | environment)

    gate.breaks("/", 503, "reset", 502)
    done = runs(relay.admin)
    check(done.returncode == 0 and not done.stderr and not gate.plan, f"once: {done}")
    # An error in a 200: refused for now by a paused workspace, which is resumed meanwhile.
    with relay.client(relay.admin) as operator:
        paused = operator.call("POST", f"/workspaces/{space}/pause", {"sends": "refuse"})
        check(paused.status == 200, f"pause: {paused}")
        timer = threading.Timer(2, lambda: Relay.client(relay, relay.admin).call(
            "POST", f"/workspaces/{space}/resume"))
        timer.start()
        done = runs(relay.admin)
        timer.join()
        check(done.returncode == 0, f"once, at a paused workspace: {done}")
        queue = operator.call("GET", f"/workspaces/{space}").json["queue"]
        check(queue["unanswered"] == 2, f"two keys are two messages, however often sent: {queue}")
        # What is final ends it, with the relay's words.
        done = runs("wrong-secret")
        check(done.returncode == 1 and "refused: 401" in done.stderr, f"once, without a right: {done}")
        (folder / "call.json").write_text('{"jsonrpc":"2.0","id":1,"method":"message/send","params":{}}')
        done = runs(relay.admin)
        check(done.returncode == 1 and "-32602" in done.stderr, f"once, with a bad call: {done}")
        check(operator.call("GET", f"/workspaces/{space}").json["queue"]["unanswered"] == 2, "stored")
    say("once stores one message, through faults and a refusal, and ends at what is final")


def control(relay, gate, folder):
    """An agent that knows no fault is found out by what the others pass."""
    text = (ROOT / "deploy" / "agent.py").read_text()
    naive = text.replace("time.sleep(pause", "sys.exit(1) #")
    check(naive != text, "the control changes nothing")
    (folder / "naive.py").write_text(naive)
    space, token = relay.workspace("naive")
    agent = Agent(folder, "naive", [sys.executable, str(folder / "naive.py")], gate.url, space, token)
    works(relay, agent, space, "first")
    gate.breaks("/result", 503)
    check(not answered(relay, space, ask(relay, space, "lost"), limit=3), "the control lost nothing")
    check(agent.process.wait(LIMIT) == 1, "the control goes on")
    say("control: one that gives up is found out")


def run(_):
    folder = scratch("agents")
    relay = Relay(folder / "data").start()
    gate = Gate(relay)
    faults(relay, gate, folder)
    once(relay, gate, folder)
    control(relay, gate, folder)
    directly(relay, folder)
    relay.stop()
    gate.shutdown()


if __name__ == "__main__":
    main(run)
