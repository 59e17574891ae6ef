"""The relay behind the real nginx and the real Caddy, over HTTPS, as deploy/ configures them.

    proxies.py

Both at the same time, each with a relay of its own. Held calls and long polls go through, paths and
hosts arrive as they were sent, nothing is sent twice, and a proxy that is killed loses nothing.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import threading
import time

from rigkit import rpc
from rigkit.proxy import Caddy, Nginx, Stage, certificate, curl, sockets, until
from rigkit.relay import ROOT, Failed, check, main, new_id, say, scratch, skip

sys.path.insert(0, str(ROOT / "Tests" / "Interop"))
import interop  # noqa: E402
from polling_agent import PollingAgent  # noqa: E402

CHECKS = []
READ_TIMEOUT = 5  # the shortest default of the official clients


def scenario(function):
    CHECKS.append(function)
    return function


@scenario
def a_poll_of_50_s(stage):
    begun = time.monotonic()
    check(stage.workspace().take(wait=50) is None, "an empty queue gave something")
    check(time.monotonic() - begun >= 49.5, "the poll ended early")


@scenario
def an_agent_that_takes_8_s(stage):
    space = stage.workspace()
    with space.caller(timeout=READ_TIMEOUT) as caller:
        begun = time.monotonic()
        caller.send("POST", f"/w/{space.id}/", rpc.send("think")[0])
        entry = space.take()
        timer = threading.Timer(8, space.answer, [entry])
        timer.start()
        try:
            text = caller.socket.recv(1)  # each read has the time-out
            check(time.monotonic() - begun < READ_TIMEOUT, "no byte in time")
            while b"done" not in text:
                more = caller.socket.recv(65536)
                check(more, f"the answer ended: {text}")
                text += more
            took = time.monotonic() - begun
        finally:
            timer.join()
    check(8 <= took < 9.5, f"an answer after {took:.1f} s")


@scenario
def the_official_client_and_an_agent_that_takes_8_s(stage):
    if not stage.sdk:
        return "no a2a-sdk"
    space = stage.workspace()
    agent = PollingAgent(space.agent(), space.id)
    agent.start()
    script = ("import asyncio, sys, official_1_3_0 as sdk\n"
              "async def run():\n"
              "    client = await sdk.connect(sys.argv[1], sys.argv[2])\n"
              "    print(await client.send('slow 8 thought'))\n"
              "asyncio.run(run())")
    env = os.environ | {"SSL_CERT_FILE": str(stage.proxy.cert),
                        "PYTHONPATH": str(ROOT / "Tests" / "Interop")}
    done = subprocess.run(
        [str(stage.sdk), "-c", script, f"{stage.proxy.url}/w/{space.id}/", stage.relay.admin],
        env=env, capture_output=True, text=True, timeout=60)
    agent.stop()
    check("after 8 s: thought" in done.stdout, f"{done.stdout} {done.stderr[-500:]}")


@scenario
def http_2_with_an_agent_that_takes_4_s(stage):
    space = stage.workspace()
    call = curl(space, stage.relay.admin, "--http2", "-d", json.dumps(rpc.send("two")[0]))
    entry = space.take()
    time.sleep(4)
    check(space.answer(entry).status == 200, "a result")
    output = call.communicate(timeout=30)[0]
    check("done" in output and output.endswith("\n200 2"), output)


@scenario
def paths_and_hosts_arrive_as_they_were_sent(stage):
    for path in ("/w/x/v1/message:send", "/w/x/tasks/a%2Fb%3ac:cancel?q=%20+&r=a:b%2F",
                 "/w/x//y/%2e%2e/z/./", "/w/%E2%82%AC/~(a)!$,;=@'*"):
        with stage.mirror.client() as client:
            head = client.call("POST", path, "{}", {"X-Thing": "a:b"}).body.decode()
        lines = head.lower().split("\r\n")
        check(head.startswith(f"POST {path} HTTP/1.1\r\n"), head)
        check(f"host: localhost:{stage.mirror.port}" in lines and "x-thing: a:b" in lines, head)
        check("connection: close" not in lines and "content-length: 2" in lines, head)


@scenario
def a_forged_origin_changes_nothing(stage):
    space = stage.workspace()
    path = f"/w/{space.id}/.well-known/agent-card.json"
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http",
              "X-Forwarded-For": "10.0.0.1", "Forwarded": "host=evil.example;proto=http",
              "X-Forwarded-Prefix": "/evil", "X-Relay-Caller": "operator"}
    with stage.proxy.client() as client:
        plain, bent = client.call("GET", path), client.call("GET", path, None, forged)
    check(plain.status == 200 and plain.body == bent.body, f"{plain} {bent}")
    check(plain.json["url"] == f"{stage.proxy.url}/w/{space.id}/", f"{plain}")
    with stage.mirror.client() as client:
        head = client.call("GET", "/x", None, forged).body.decode().lower()
    check("x-forwarded-for: 127.0.0.1" in head and "x-forwarded-proto: https" in head, head)
    check("x-forwarded-host: evil" not in head and "10.0.0.1" not in head, head)


@scenario
def a_broken_post_is_not_sent_again(stage):
    for tries in range(3):  # on a new connection of the proxy, then on kept ones
        path = f"/{new_id()}/break"
        with stage.mirror.client() as client:
            broken = client.call("POST", path, "{}")
            check(broken.status == 503 and broken.json.get("delivered") == "unknown", f"{broken}")
            check(broken.headers.get("retry-after"), f"{broken.headers}")
            seen = [line for line in stage.probe.seen if path.encode() in line]
            check(len(seen) == 1, f"sent {len(seen)} times")
            kept = client.call("POST", "/keep", "{}")
            check(kept.status == 200 and "/keep" in kept.body.decode(), f"{kept}")


@scenario
def the_same_call_twice_at_once(stage):
    space, body = stage.workspace(), rpc.send("twice")[0]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        sends = [pool.submit(space.call, space.caller(), body) for _ in range(2)]
        entry = space.take()
        check(space.take(wait=0) is None, "two messages of one call")
        check(space.answer(entry).status == 200, "a result")
        answers = [send.result() for send in sends]
    found = {(a.headers["x-relay-message-id"], rpc.text_of(rpc.task_of(a.json))) for a in answers}
    check(found == {(entry["id"], "done")}, f"{found}")


@scenario
def a_client_that_leaves_is_seen_to_leave(stage):
    space = stage.workspace()
    agent = space.agent()
    agent.send("GET", f"{space.base}?wait=50")
    until(lambda: space.parked() == 1, "the poll is parked")
    agent.close()
    until(lambda: space.parked() == 0, "the relay saw the poll go")
    with space.caller() as caller:
        check(space.call(caller, rpc.send("late", blocking=False)[0]).status == 200, "a send")
    entry = space.take()
    check(entry["attempt"] == 1 and not entry.get("redelivered"), f"{entry}")


@scenario
def large_bodies(stage):
    space, text = stage.workspace(), "x" * (9 << 20)
    with space.caller() as caller:
        sent = space.call(caller, rpc.send(text, blocking=False, message_id="large")[0])
        check(sent.status == 200 and rpc.task_of(sent.json), f"{sent}")
        entry = space.take()
        check(entry["text"] == text, "the agent got something else")
        check(space.answer(entry, text).status == 200, "a large result")
        got = caller.call("GET", f"/messages/{entry['id']}")
        check(rpc.text_of(rpc.task_of({"result": got.json["task"]}) or {}) == text, "the answer")
    upload = stage.proxy.folder / "upload"
    for status, size, key in ((413, 21 << 19, stage.relay.admin), (401, 9 << 20, "wrong" * 4)):
        upload.write_text(json.dumps(rpc.send("y" * size, message_id="larger")[0]))
        got = curl(space, key, "--http1.1", "-H", "Expect:", "--data-binary", f"@{upload}")
        output = got.communicate(timeout=30)[0]  # refused by its head alone, while it is sent
        check('"code":' in output and output.endswith(f"\n{status} 1.1"), output)
    log = stage.proxy.log.read_text() if stage.proxy.log.exists() else ""
    check("buffered to a temporary file" not in log, "a body was written to disk")


# These two kill the proxy: they run when nothing else needs it.

def killed_while_a_call_is_held(stage):
    space, body = stage.workspace(), rpc.send("held")[0]
    caller = space.caller()
    caller.send("POST", f"/w/{space.id}/", body)
    entry = space.take()
    parked = space.agent()
    parked.send("GET", f"{space.base}?wait=50")
    until(lambda: space.parked() == 1, "the poll is parked")
    stage.proxy.kill()
    for client in (caller, parked):
        try:
            check(not client.receive(), "an answer from a proxy that is gone")
        except (ConnectionError, OSError):
            client.close()
    stage.proxy.start()
    again = concurrent.futures.ThreadPoolExecutor(1).submit(space.call, caller, body)
    check(space.take(wait=1) is None, "the repeated call made a second message")
    check(space.answer(entry).status == 200, "the result after the restart")
    answer = again.result()
    check(answer.headers["x-relay-message-id"] == entry["id"], f"another message: {answer}")
    check(rpc.text_of(rpc.task_of(answer.json)) == "done", f"{answer}")
    once(space, entry)


def killed_while_a_result_is_posted(stage):
    for part in ("whole", "half"):
        space = stage.workspace()
        with space.caller() as caller:
            space.call(caller, rpc.send(part, blocking=False)[0])
        entry, agent = space.take(), space.agent()
        path, headers = space.result(entry)
        request = agent.bytes_of("POST", path, {"text": part * 50_000}, headers)
        # The relay stands still, so that the proxy dies between the request and its answer.
        agent.connect()
        stage.relay.pause()
        agent.socket.sendall(request if part == "whole" else request[:len(request) // 2])
        until(lambda: sum(unread for _, unread in sockets(stage.relay.port)) > len(request) // 3,
              "the result reaches the relay's socket")
        stage.proxy.kill()
        stage.relay.resume()
        agent.close()
        stage.proxy.start()
        again = agent.call("POST", path, {"text": part * 50_000}, headers)
        check(again.status == 200, f"{part}: {again}")
        check(again.json.get("duplicate", False) == (part == "whole"), f"{part}: {again}")
        check(space.take(wait=0) is None, "the message was handed out again")
        once(space, entry)


def once(space, entry):
    """The message was handed out once and answered once."""
    shown = space.shown(f"/messages/{entry['id']}")
    events = [event["event"] for event in shown["timeline"]]
    check(shown["state"] == "answered", f"{shown['state']} {events}")
    check(events.count("answered") == 1, f"{events}")
    check(sum(e in ("leased", "handed_out", "offered") for e in events) == 1, f"{events}")


def show(stage, function):
    """Runs one check: its name if it does not hold, or why it could not be run."""
    begun = time.monotonic()
    try:
        missing = function(stage)
    except (Failed, OSError, ValueError, LookupError, TypeError) as error:
        say(f"FAILED  {stage.name}: {function.__name__}: {type(error).__name__}: {error}")
        return "failed"
    say(f"{'skipped' if missing else 'ok     '} {stage.name}: {function.__name__} "
        f"({missing or f'{time.monotonic() - begun:.1f} s'})")
    return missing or "held"


def through(stage):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda function: show(stage, function), CHECKS))
    for function in (killed_while_a_call_is_held, killed_while_a_result_is_posted):
        outcomes.append(show(stage, function))
    stage.relay.stop()
    return outcomes


def official_client():
    try:
        return interop.environment("1.3.0")
    except SystemExit:
        return None


def prepared(name):
    """A rig's folder, certificate and key; skips it where a tool is missing."""
    for tool in ("nginx", "caddy", "openssl", "curl"):
        if not shutil.which(tool):
            skip(name, f"{tool} is not installed")
    folder = scratch(name)
    return folder, *certificate(folder)


def run(args):
    folder, cert, key = prepared("proxies")
    sdk = official_client()
    stages = [Stage(kind, folder, cert, key, sdk) for kind in (Nginx, Caddy)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = sum(pool.map(through, stages), [])
    for stage in stages:
        stage.proxy.kill()
        stage.mirror.kill()
    held = outcomes.count("held")
    say(f"{held} of {len(outcomes)} checks held behind nginx and Caddy")
    check("failed" not in outcomes, f"{outcomes.count('failed')} checks failed")
    if held < len(outcomes):
        skip("proxies", "the official client's call: a2a-sdk 1.3.0 is not to be had")


if __name__ == "__main__":
    main(run)
