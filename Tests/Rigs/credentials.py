"""Secrets: no token in any log or file, and no route without one.

    credentials.py

An end-to-end run with every kind of credential; then its log, its output and its whole data
directory are searched for each token, raw and in base64. Then every route is tried without a token,
with a wrong one, with a revoked one, with that of another workspace, and with keys of another org:
401, or 404, and the same for a workspace that exists and one that does not.

Two controls: the same search must find what is stored and logged, raw and in base64; and the routes
are read from the table in the source, each line of which must be understood here.
"""
import base64
import re

from rigkit import rpc
from rigkit.relay import ROOT, Relay, check, main, new_id, say, scratch, spellings

TABLE = ROOT / "Sources" / "Server" / "Routing" / "RouteTable.swift"
WRONG = "rtok_" + "A" * 43
NOBODY = [{}, {"Authorization": f"Bearer {WRONG}"}, {"X-Relay-Key": WRONG},
          {"Authorization": "Basic Zm9vOmJhcg=="}]
STOLEN = {"protocolVersion": "0.3.0", "name": "stolen", "description": "", "version": "1",
          "url": "http://stolen/", "capabilities": {}, "skills": [], "defaultInputModes": [],
          "defaultOutputModes": []}
PASSWORD = "callers-own-secret-" + new_id()


def end_to_end(relay, space, token, other, key):
    """Messages through every kind of credential, and some that are wrong."""
    base = f"/workspaces/{space}/inbox"
    ways = [{"Authorization": f"Bearer {relay.admin}"}, {"X-Relay-Key": relay.admin},
            {"Authorization": f"Bearer {other}"}, {"X-Relay-Key": other},
            {"Authorization": f"Bearer {key}"}, {"X-Relay-Key": key},
            {"X-Relay-Key": other, "Authorization": f"Bearer {PASSWORD}",
             "Cookie": f"session={PASSWORD}"}]
    with relay.client() as caller, relay.client(token) as agent:
        for way in ways:
            body, headers = rpc.send(new_id(), blocking=False)
            sent = caller.call("POST", f"/w/{space}/", body, headers | way)
            task = rpc.task_of(sent.json)
            check(task, f"a send with {list(way)}: {sent}")
            entry = agent.call("GET", f"{base}?wait=5").json["messages"][0]
            for secret in (relay.admin, token, other, key, PASSWORD):
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


def search(relay, secret, but=()):
    """(files that hold the secret in some spelling, bytes looked at)."""
    found, looked = [], 0
    for path in [relay.log, relay.output] + [p for p in relay.data.rglob("*") if p.is_file()]:
        if path.name in ("admin-token", "reserve") or path in but:
            continue
        content = path.read_bytes()
        looked += len(content)
        if any(spelling in content for spelling in spellings(secret)):
            found.append(path)
    return found, looked


def search_all(relay, secrets, stored):
    for name, secret in secrets.items():
        # The token may be shown once, on the terminal of its operator.
        found, looked = search(relay, secret, [relay.output] if name == "admin" else [])
        check(not found, f"the {name} token is in {[path.name for path in found]}")
        check(looked > 0, "no byte was searched")
    for text in stored:
        found, _ = search(relay, text)
        check(any(path.parent != relay.log.parent for path in found),
              f"the control is not found in the data: {text}, {found}")
    for word, path in (("started", relay.log), ("ready on", relay.output)):
        check(path in search(relay, word)[0], f"the control is not found in {path.name}: {word}")
    say(f"{looked} bytes searched for {len(secrets)} secrets; {len(stored)} texts that are stored, "
        "and the log's own words, were found by the same search")


def store_controls(relay, space):
    """Texts that are stored as they are, and in base64 at each alignment."""
    known = [new_id() for _ in range(4)]
    coded = [base64.b64encode(b"ab"[:pad] + text.encode() + b"end").decode()
             for pad, text in enumerate(known[1:])]
    with relay.client(relay.admin) as caller:
        for text in known[:1] + coded:
            body, headers = rpc.send(text, blocking=False, message_id=new_id())
            check(rpc.task_of(caller.call("POST", f"/w/{space}/", body, headers).json), "no send")
    return known


def table():
    """(methods, pattern, who may) of each line of the route table that is served."""
    text = re.sub(r"\s+", " ", TABLE.read_text().split("// MARK: the lines", 1)[1])
    text = text.split("private static let unserved", 1)[0]
    lines = re.findall(r'Route\( ?(\[[^]]*\]|\.\w+), "([^"]+)",(?: also: "[^"]+",)? \.(\w+)', text)
    check(len(lines) > 40 and len(lines) == text.count("Route("),
          f"{len(lines)} of {text.count('Route(')} lines of {TABLE.name} can be read")
    return [(re.findall(r"\w+", methods.replace("read", "get .head").upper()), pattern, access)
            for methods, pattern, access in lines]


# Who may use a route in spite of being a stranger to the workspace.
PUBLIC = ["everybody", "anybody"]
# Routes that an agent of another workspace of the same org may use.
CALLERS = ["caller", "platformCaller", "platformCallerOfBody"]
# Routes that show and make what belongs to whoever asks: an agent's own, or an org's own.
OF_AGENTS, OF_ORGS = ["/secrets", "/secrets/values"], ["/workspaces", "/a2a", "/metrics"]


def requests(space, message):
    """By pattern: who may, and the requests that take a secret, as (method, path, body)."""
    found = {}
    for methods, pattern, access in table():
        if access not in PUBLIC:
            of_pattern = found.setdefault(pattern, (access, []))[1]
            for method in methods:
                body = bodies(space).get(pattern, {}) if method in ("POST", "PUT", "PATCH") else None
                of_pattern.append((method, path(pattern, space, message), body))
    for pattern, more in others(space).items():
        found[pattern][1].extend(more)
    return found


def path(pattern, space, message):
    for name, value in {"{id}": space, "{?id}": space, "{message}": message, "{?message}": message,
                        "{job}": "1", "{name}": KEY_ID, "{key}": "KEY"}.items():
        pattern = pattern.replace(name, value)
    return pattern + {"/org/tokens": f"?org={ORG}"}.get(pattern, "")


def bodies(space):
    """What routes are tried with that need more than an empty object."""
    states = {"states": ["dead"], "in_flight": True}
    return {
        "/w/{id}/": rpc.send(new_id(), blocking=False)[0],
        "/a2a": rpc.send(new_id())[0], "/workspaces/{id}/a2a": rpc.send(new_id())[0],
        **{f"/workspaces/{{id}}/inbox/{{message}}/{verb}": {"lease": "x", "text": "stolen"}
           for verb in ("claim", "extend", "release", "result")},
        "/workspaces/{id}/inbox/batch": {"calls": [], "poll": {"wait": 0}},
        "/registry/update-card": {"workspace_id": space, "agent_card": STOLEN},
        "/registry/register": {"id": space, "agent_card": STOLEN},
        "/registry/heartbeat": {"workspace_id": space},
        "/workspaces/{id}/secrets": {"key": "KEY", "value": "x"},
        "/workspaces": {"name": "x"}, "/workspaces/{id}": {"name": "stolen"},
        "/orgs": {"id": "stolen"}, "/org/tokens": {"org": ORG, "scopes": ["admin"]},
        "/workspaces/{id}/tokens/rotate": {"grace_seconds": 0},
        "/admin/backup": {"dir": "/nowhere/at/all"}, "/admin/import": {"dir": "/nowhere/at/all"},
        **{f"/workspaces/{{id}}/{verb}": states for verb in ("redrive", "replay", "purge")},
    }


def others(space):
    """More requests: other bodies and queries, and methods that the route does not take."""
    call, inbox = f"/w/{space}/", f"/workspaces/{space}/inbox"
    return {
        "/w/{id}/": [("POST", call, body) for body in (
            rpc.send(new_id(), "1.0", blocking=False)[0], rpc.get(new_id())[0],
            rpc.cancel(new_id())[0], "{not json")] + [
            ("GET", call, None), ("POST", f"{call}v1/message:send", {}),
            ("GET", f"{call}v1/tasks/{new_id()}", None), ("GET", f"{call}tasks", None),
            ("DELETE", f"{call}anything", None), ("GET", f"{call}x/y", None)],
        "/workspaces/{id}/inbox": [("GET", f"{inbox}?wait=0", None), ("POST", inbox, {})],
        "/workspaces/{id}": [("DELETE", f"/workspaces/{space}{query}", None)
                             for query in ("?confirm=true", "?purge=true", "?purge=maybe")],
    }


# The org whose keys strangers are after, and the id of one of them.
ORG, KEY_ID = "default", "0badc0de"


def public(space):
    """By pattern or name: what needs no secret, and how it is answered to everybody."""
    paths = {pattern: ([path(pattern, space, new_id())], 200)
             for methods, pattern, access in table() if access in PUBLIC and "GET" in methods}
    check(len(paths) > 2, f"nothing is public: {paths}")
    return paths | {
        "activity": ([f"/workspaces/{each}/activity" for each in (space, new_id())], 501),
        "unsupported": (
            [f"/registry/{space}/peers", "/registry/discover/" + new_id()], 501),
        "badID": (["/w/x/", "/workspaces/x/inbox"], 404), "none": (["/", "/nowhere", "/admin/x"], 404)}


def outcome(relay, route, headers):
    with relay.client() as client:
        answer = client.call(*route, headers)
        return answer.status, answer.headers.get("www-authenticate"), answer.body


def negative(relay, space, message, other, dead, orphan, foreign):
    """`dead`: revoked credentials. `orphan`: the token of a removed workspace, which is told so.
    `foreign`: keys of another org, one for each scope."""
    mine = requests(space, message)
    absent = requests(new_id(), ("1" if message[0] != "1" else "2") + message[1:])
    open_to_all, tried = public(space), 0
    for pattern, (access, here_all) in mine.items():
        for here, there in zip(here_all, absent[pattern][1]):
            for headers in NOBODY + [{"Authorization": f"Bearer {secret}"} for secret in dead]:
                tried += 2
                refused(relay, here, there, headers, (401,))
            tried += 2
            refused(relay, here, there, {"Authorization": f"Bearer {orphan}"},
                    (404,) if pattern == "/workspaces/{id}/state" else (410,))
            for secret in foreign if pattern not in OF_ORGS else []:
                tried += 2
                refused(relay, here, there, {"Authorization": f"Bearer {secret}"}, (404,))
            if access not in CALLERS and pattern not in OF_AGENTS:
                tried += 2
                refused(relay, here, there, {"Authorization": f"Bearer {other}"}, (401, 403, 404))
    for case, (paths, status) in open_to_all.items():
        for path in paths:
            found = {outcome(relay, ("GET", path, None), headers) for headers in NOBODY}
            if case == "/ready":  # it tells times
                found = {answer[:2] for answer in found}
            check({answer[0] for answer in found} == {status} and len(found) == 1,
                  f"{case} {path}: {found}")
            tried += len(NOBODY)
    say(f"{len(mine)} routes with a secret, {len(open_to_all)} without: {tried} calls")


def refused(relay, mine, absent, headers, statuses):
    here, there = outcome(relay, mine, headers), outcome(relay, absent, headers)
    named = f"{mine[0]} {mine[1]} with {list(headers)}"
    check(here[0] in statuses, f"{named} is {here}")
    check(here[0] != 401 or here[1] or not mine[1].startswith("/w/"), f"no WWW-Authenticate: {named}")
    check(here == there, f"{named} tells that it exists: {here} {there}")


def keys(relay, org):
    """A key for each scope."""
    with relay.client(relay.admin) as admin:
        made = [admin.call("POST", "/org/tokens", {"org": org, "scopes": [scope]})
                for scope in ("admin", "send", "read")]
    check(all(answer.status == 201 for answer in made), f"keys of {org}: {made}")
    return [answer.json["auth_token"] for answer in made], [answer.json["id"] for answer in made]


def revoked(relay, space):
    """Tokens and keys that were good, and are not any more; and one of a workspace that is gone."""
    with relay.client(relay.admin) as admin:
        token = admin.call("POST", f"/workspaces/{space}/tokens", {}).json
        secrets, ids = keys(relay, ORG)
        paths = [f"/workspaces/{space}/tokens/{token['id']}", *(f"/org/tokens/{i}" for i in ids)]
        with relay.client(token["auth_token"]) as agent, relay.client(secrets[2]) as reader:
            before = agent.call("GET", f"/workspaces/{space}/inbox?wait=0").status
            check(before == 204, f"a new token is good: {before}")
            check(reader.call("GET", "/workspaces").status == 200, "a new key is good")
            for path in paths:
                answer = admin.call("DELETE", path)
                check(answer.status == 200 and answer.json["status"] == "revoked", f"{answer}")
            after = agent.call("GET", f"/workspaces/{space}/inbox?wait=0").status
            check(after == 401, f"on an open connection a revoked token is {after}")
            check(reader.call("GET", "/workspaces").status == 401, "a revoked key goes on")
        gone, orphan = relay.workspace("removed")
        removed = admin.call("DELETE", f"/workspaces/{gone}")
        check(removed.status == 200 and removed.json["status"] == "removed", f"{removed}")
    return [token["auth_token"], *secrets], orphan


def closed(folder):
    """Nobody claims a workspace where registration is closed, and the operator can."""
    relay = Relay(folder / "closed", args=["--registration", "closed"]).start()
    with relay.client(relay.admin) as admin:
        space = admin.call("POST", "/workspaces", {"name": "unclaimed"}).json["id"]
        mine, absent = ("POST", "/registry/register", {"id": space}), (
            "POST", "/registry/register", {"id": new_id()})
        for headers in NOBODY:
            refused(relay, mine, absent, headers, (401,))
        check(admin.call("GET", f"/workspaces/{space}").json["claimed"] is False, "it was claimed")
        answer = admin.call(*mine)
        check(answer.status == 200 and answer.json["auth_token"], f"the operator cannot: {answer}")
    relay.stop()


def run(args):
    folder = scratch("credentials")
    relay = Relay(folder / "data").start()
    space, token = relay.workspace("mine")
    _, other = relay.workspace("other")
    own, _ = keys(relay, ORG)
    end_to_end(relay, space, token, other, own[1])
    dead, orphan = revoked(relay, space)
    with relay.client(relay.admin) as admin:
        body, headers = rpc.send(new_id(), blocking=False)
        message = admin.call("POST", f"/w/{space}/", body, headers).headers["x-relay-message-id"]
        check(admin.call("POST", "/orgs", {"id": "strangers"}).status == 201, "no org")
    foreign, _ = keys(relay, "strangers")
    negative(relay, space, message, other, dead, orphan, foreign)
    with relay.client(other) as stranger:
        answer = stranger.call("GET", f"/messages/{message}")
        check(answer.status == 404, f"another caller's message: {answer}")
    with relay.client(token) as agent:
        left = agent.call("GET", f"/workspaces/{space}/inbox?wait=0&max=16")
        check(len(left.json.get("messages", [])) == 1, f"a refused call left something: {left}")
    with relay.client() as anybody:
        shown = anybody.call("GET", f"/w/{space}/.well-known/agent-card.json")
        check(shown.status == 200 and b"stolen" not in shown.body, f"the card is changed: {shown}")
    stored = store_controls(relay, space)
    secrets = {"agent": token, "other agent's": other, "caller's own": PASSWORD, "admin": relay.admin,
               **{f"org key {number}": secret for number, secret in enumerate(own + foreign)},
               **{f"revoked {number}": secret for number, secret in enumerate([*dead, orphan])}}
    search_all(relay, secrets, stored)
    relay.stop()
    search_all(relay, secrets, stored)
    closed(folder)
    for path in [relay.data, *relay.data.rglob("*")]:
        check(path.stat().st_mode & 0o77 == 0, f"{path.name} may be read by others")


if __name__ == "__main__":
    main(run)
