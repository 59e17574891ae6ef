"""Secrets: no token in any log or file, and no route without one.

    credentials.py

An end-to-end run with every kind of credential; then its log, its output and its whole data
directory are searched for each token, raw and in base64. Then every route is tried without a token,
with a wrong one, and with that of another workspace: 401, or 404, and the same for a workspace that
exists and one that does not.
"""
import rpc
from relaykit import Relay, check, main, new_id, say, scratch, spellings

PASSWORD = "callers-own-secret-" + new_id()


def end_to_end(relay, space, token, other):
    """Messages through every kind of credential, and some that are wrong."""
    base = f"/workspaces/{space}/inbox"
    ways = [{"Authorization": f"Bearer {relay.admin}"}, {"X-Relay-Key": relay.admin},
            {"Authorization": f"Bearer {other}"}, {"X-Relay-Key": other},
            {"X-Relay-Key": other, "Authorization": f"Bearer {PASSWORD}",
             "Cookie": f"session={PASSWORD}"}]
    with relay.client() as caller, relay.client(token) as agent:
        for way in ways:
            body, headers = rpc.send(new_id(), blocking=False)
            sent = caller.call("POST", f"/w/{space}/", body, headers | way)
            task = rpc.task_of(sent.json)
            check(task, f"a send with {list(way)}: {sent}")
            entry = agent.call("GET", f"{base}?wait=5").json["messages"][0]
            for secret in (relay.admin, token, other, PASSWORD):
                check(secret not in str(entry), "a credential was handed to the agent")
            agent.call("POST", f"{base}/{entry['id']}/extend",
                       {"lease": entry["lease"]["token"]})
            done = agent.call("POST", f"{base}/{entry['id']}/result", {"text": "done"},
                              {"X-Relay-Lease": entry["lease"]["token"]})
            check(done.status == 200, f"a result: {done}")
            got = caller.call("POST", f"/w/{space}/", *merge(rpc.get(task["id"]), way))
            check(rpc.text_of(rpc.task_of(got.json) or {}) == "done", f"the answer: {got}")
        agent.call("POST", "/registry/heartbeat", {"workspace_id": space})
        for wrong in (f"/w/{space}/?key={token}", f"/nowhere/{token}"):
            caller.call("POST", wrong, "{not json", {"Authorization": f"Bearer {token}"})
        caller.call("GET", "/workspaces", None, {"Authorization": f"Bearer wrong-{token}"})


def merge(call, way):
    return call[0], call[1] | way


def search(relay, secrets):
    files = [relay.log, relay.output] + [p for p in relay.data.rglob("*") if p.is_file()]
    looked = 0
    for path in files:
        if path.name in ("admin-token", "reserve") or not path.exists():
            continue
        content = path.read_bytes()
        looked += len(content)
        for name, secret in secrets.items():
            # The token may be shown once, on the terminal of its operator.
            if name == "admin" and path == relay.output:
                continue
            for spelling in spellings(secret):
                check(spelling not in content, f"the {name} token is in {path.name}")
    say(f"{len(files)} files, {looked} bytes searched for {len(secrets)} secrets")


def routes(space, message):
    """(method, path, body, which credentials must not be enough) of every route with a secret."""
    inbox = f"/workspaces/{space}/inbox"
    lease = {"lease": "x"}
    agent = [("GET", f"{inbox}?wait=0", None)]
    agent += [("POST", f"{inbox}/{message}/{verb}", lease | {"text": "stolen"})
              for verb in ("claim", "extend", "release", "result")]
    agent += [("POST", f"{inbox}/batch", {"calls": [], "poll": {"wait": 0}}),
              ("POST", "/registry/heartbeat", {"workspace_id": space})]
    operator = [("GET", "/workspaces", None), ("POST", "/workspaces", {"name": "x"}),
                ("GET", f"/workspaces/{space}", None),
                ("GET", f"/workspaces/{space}/messages/{message}", None)]
    callers = [("POST", f"/w/{space}/", rpc.send(new_id(), blocking=False)[0]),
               ("POST", f"/w/{space}/", rpc.get(new_id())[0]),
               ("POST", f"/w/{space}/", rpc.cancel(new_id())[0]),
               ("GET", f"/messages/{message}", None)]
    return agent, operator, callers


def outcome(relay, route, headers):
    with relay.client() as client:
        answer = client.call(*route, headers)
        return answer.status, answer.headers.get("www-authenticate"), answer.body


def negative(relay, space, message, other):
    agent, operator, callers = routes(space, message)
    nobody = [{}, {"Authorization": "Bearer rtok_" + "A" * 43}, {"X-Relay-Key": "rtok_" + "A" * 43},
              {"Authorization": "Basic Zm9vOmJhcg=="}]
    tried = 0
    others = routes(new_id(), ("1" if message[0] != "1" else "2") + message[1:])
    for mine, absent in zip(agent + operator + callers, others[0] + others[1] + others[2]):
        for headers in nobody:
            here, there = outcome(relay, mine, headers), outcome(relay, absent, headers)
            check(here[0] == 401, f"{mine[0]} {mine[1]} with {list(headers)} is {here}")
            check(here[1] or not mine[1].startswith("/w/"), f"no WWW-Authenticate: {mine[1]}")
            check(here == there, f"{mine[1]} tells that the workspace exists: {here} {there}")
            tried += 2
    stranger = {"Authorization": f"Bearer {other}"}
    for mine, absent in zip(agent + operator, others[0] + others[1]):
        here, there = outcome(relay, mine, stranger), outcome(relay, absent, stranger)
        check(here[0] in (401, 403, 404), f"{mine[0]} {mine[1]} with another's token is {here}")
        check(here == there, f"{mine[1]} tells another workspace that it exists: {here} {there}")
        tried += 2
    say(f"{tried} calls without the right credential, all refused alike")


def run(args):
    relay = Relay(scratch("credentials") / "data").start()
    space, token = relay.workspace("mine")
    _, other = relay.workspace("other")
    end_to_end(relay, space, token, other)
    with relay.client(relay.admin) as admin:
        body, headers = rpc.send(new_id(), blocking=False)
        message = admin.call("POST", f"/w/{space}/", body, headers).headers["x-relay-message-id"]
    negative(relay, space, message, other)
    with relay.client(other) as stranger:
        answer = stranger.call("GET", f"/messages/{message}")
        check(answer.status == 404, f"another caller's message: {answer}")
    with relay.client(token) as agent:
        left = agent.call("GET", f"/workspaces/{space}/inbox?wait=0&max=16")
        check(len(left.json.get("messages", [])) == 1, f"a refused call left something: {left}")
    secrets = {"agent": token, "other agent's": other, "caller's own": PASSWORD, "admin": relay.admin}
    search(relay, secrets)
    relay.stop()
    search(relay, secrets)
    for path in [relay.data, *relay.data.rglob("*")]:
        check(path.stat().st_mode & 0o77 == 0, f"{path.name} may be read by others")


if __name__ == "__main__":
    main(run)
