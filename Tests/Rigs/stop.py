"""SIGTERM leaves nothing behind: exit code 0, and every write-ahead log is empty or gone.

    stop.py

What is in a log that is not empty is not lost, but the data directory cannot be copied file by file,
and the next start has to work it off. Several workspaces and the registry have been written to.
"""
from rigkit import rpc
from rigkit.relay import Relay, check, main, new_id, say, scratch

WORKSPACES, SENDS = 4, 100


def logs(relay):
    """The bytes in each write-ahead log of the data directory."""
    return {path.name: path.stat().st_size for path in relay.data.rglob("*-wal")}


def run(_):
    relay = Relay(scratch("stop") / "data").start()
    spaces = [relay.workspace(f"w{n}")[0] for n in range(WORKSPACES)]
    stored = []
    with relay.client(relay.admin) as caller:
        for n in range(SENDS):
            body, headers = rpc.send(new_id(), blocking=False)
            answer = caller.call("POST", f"/w/{spaces[n % WORKSPACES]}/", body, headers)
            check(rpc.task_of(answer.json), f"a send was not acknowledged: {answer}")
            stored.append(answer.headers["x-relay-message-id"])
    before = logs(relay)
    check(sum(size > 0 for size in before.values()) > WORKSPACES, f"nothing to empty: {before}")
    relay.stop()
    left = {name: size for name, size in logs(relay).items() if size}
    check(not left, f"{len(left)} of {len(before)} logs are not empty after SIGTERM: {left}")
    relay.start()
    with relay.client(relay.admin) as caller:
        for message in stored:
            answer = caller.call("GET", f"/messages/{message}")
            check(answer.status == 200, f"lost: {message} is {answer}")
    say(f"{len(before)} logs with {sum(before.values())} bytes: all empty after SIGTERM, and "
        f"{len(stored)} messages are there")
    relay.stop()


if __name__ == "__main__":
    main(run)
