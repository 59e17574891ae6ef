"""The outside log: what the relay told callers and agents, and the judgement over it.

Written by the rig, which no `kill -9` reaches. Each line is one thing that was said, in the order in
which the rig heard it; `judge` compares that with what the relay says at the end.

Every message has a key of its own (its A2A messageId, which is also its text). Every result that is
posted has a text of its own, so that two accepted results for one message cannot be taken for one.
"""
import collections
import json


class Ledger:
    def __init__(self, path=None):
        self.file = open(path, "a") if path else None
        self.now = 0  # counts what was noted: the order of things, not the time
        self.sent = {}  # key → {"workspace", "token", "outcome", "message", "task", "cancelled"}
        self.messages = collections.defaultdict(set)  # key → message ids seen for it
        self.keys = {}  # message id → key
        self.handed = collections.defaultdict(list)  # message → [{attempt, redelivered, …}]
        self.posted = collections.defaultdict(dict)  # message → {text: when its post began}
        self.accepted = collections.defaultdict(set)  # message → texts with a 200
        self.refused = collections.defaultdict(list)  # message → codes of refused results
        self.seen = collections.defaultdict(set)  # message → answers that callers saw
        self.workspaces, self.tokens = set(), {}  # acknowledged; token → workspace
        self.asking = set()  # keys of which somebody still waits for the answer to the send
        self.open = set()  # keys acknowledged, not known to have ended
        self.over = set()  # messages known to have ended
        self.fresh = []  # message ids acknowledged since the last restart
        self.repeats = 0  # calls made again with their Idempotency-Key, and answered
        self.trouble = []  # violations noticed on the way

    def note(self, what, **fields):
        self.now += 1
        if self.file:
            self.file.write(json.dumps({"n": self.now, "what": what} | fields) + "\n")
        return self.now

    def close(self):
        if self.file:
            self.file.close()

    # What happened to a send.

    def sending(self, key, workspace, token):
        self.note("sending", key=key, workspace=workspace)
        self.asking.add(key)
        self.sent[key] = {"workspace": workspace, "token": token, "outcome": "unknown",
                          "message": None, "task": None, "cancelled": None}

    def settled(self, key):
        """Nobody waits for the answer to this send any more."""
        self.asking.discard(key)

    def send_acknowledged(self, key, message, task):
        self.note("stored", key=key, message=message, task=task)
        self.sent[key] |= {"outcome": "stored", "message": message, "task": task}
        self._named(key, message)
        self.fresh.append(key)
        if message not in self.over:
            self.open.add(key)

    def repeated(self, key, message):
        """A call that had been answered was made again with its Idempotency-Key."""
        self.note("repeated", key=key, message=message)
        self.repeats += 1
        self._named(key, message)

    def send_refused(self, key, why):
        self.note("refused", key=key, why=why)
        self.sent[key]["outcome"] = "refused"

    def answer_seen(self, message, text):
        self.note("answer", message=message, text=text)
        self.seen[message].add(text)
        self.ended(message)

    def cancel_acknowledged(self, key):
        self.sent[key]["cancelled"] = self.note("cancelled", key=key)
        self.open.discard(key)

    # What happened at an agent.

    def hand_out(self, key, message, poll_began, entry, agent):
        given = {name: entry.get(name) for name in ("attempt", "redelivered", "replay", "seq")}
        self.note("handed", key=key, message=message, agent=agent, poll=poll_began, **given)
        lease = (entry.get("lease") or {}).get("token")
        self.handed[message].append(given | {"poll_began": poll_began, "lease": lease})
        self._named(key, message)

    def posting(self, message, text):
        self.posted[message].setdefault(text, self.note("posting", message=message, text=text))

    def result_accepted(self, message, text, answer, again=False):
        self.note("accepted", message=message, text=text, answer=answer)
        if again and not answer.get("duplicate"):
            self.trouble.append(f"a second post of {text} was accepted as new: {answer}")
        self.accepted[message].add(text)
        self.ended(message)

    def result_refused(self, message, text, status, answer):
        code = answer.get("code")
        self.note("not accepted", message=message, text=text, status=status, code=code)
        self.refused[message].append(code)
        if code in ("already_answered", "answered_elsewhere", "closed", "cancelled"):
            self.ended(message)

    def ended(self, message):
        self.over.add(message)
        self.open.discard(self.keys.get(message))

    def _named(self, key, message):
        self.messages[key].add(message)
        self.keys[message] = key


def judge(ledger, final):
    """Every broken promise, as text. `final`: message → (status, state, answer text) read at the end."""
    broken = list(ledger.trouble)
    for key, send in ledger.sent.items():
        if len(ledger.messages[key]) > 1:
            broken.append(f"doubled: {key} was stored as {sorted(ledger.messages[key])}")
        if send["outcome"] == "refused" and ledger.messages[key]:
            broken.append(f"refused, yet handed out: {key}")
        if send["outcome"] == "stored":
            broken += judge_stored(ledger, key, send, final.get(send["message"]))
    for message, hands in ledger.handed.items():
        broken += judge_hands(ledger, message, hands)
    for message in set(ledger.accepted) | set(ledger.seen):
        broken += judge_answers(ledger, message, final.get(message))
    return broken


def judge_stored(ledger, key, send, found):
    name = f"{key} (message {send['message']})"
    if found is None:
        return [f"not asked about: {name}"]
    status, state, text = found
    if status != 200:
        return [f"lost: {name} was acknowledged and is {status} {state} now"]
    if send["cancelled"] is not None:
        return [] if state == "cancelled" else [f"cancelled, yet {state}: {name}"]
    if state == "cancelled":
        return [] if send.get("cancel_asked") else [f"nobody cancelled it: {name}"]
    if state != "answered":
        return [f"never answered: {name} is {state}"]
    if text not in ledger.posted[send["message"]]:
        return [f"nobody gave this answer: {name} has {text!r}"]
    return []


def judge_hands(ledger, message, hands):
    plain = [h for h in hands
             if not ((h["attempt"] or 0) > 1 or h["redelivered"] or h["replay"])]
    broken = []
    if len(plain) > 1:
        broken.append(f"handed out {len(plain)} times as new: {message}")
    cancelled = ledger.sent.get(ledger.keys[message], {}).get("cancelled")
    if cancelled and any(h["poll_began"] > cancelled for h in hands):
        broken.append(f"handed out after its cancel was acknowledged: {message}")
    return broken


def judge_timeline(ledger, message, timeline, complete):
    """The relay's own account of a message. `complete`: no hand-out may be missing in it."""
    events = [event.get("event") for event in timeline]
    broken = []
    if events[:1] != ["stored"] or events.count("answered") > 1:
        broken.append(f"timeline: {message} has {events}")
    told = {event.get("lease") for event in timeline if event["event"] in ("offered", "handed_out")}
    unknown = [h["lease"] for h in ledger.handed[message] if h["lease"] not in told]
    if complete and unknown:
        broken.append(f"timeline: {message} was handed out as {unknown}, of which it says nothing")
    return broken


def judge_answers(ledger, message, found):
    broken = []
    texts = ledger.accepted[message] | ledger.seen[message]
    if found and found[2] is not None:
        texts = texts | {found[2]}
    if len(texts) > 1:
        broken.append(f"more than one answer: {message} has {sorted(texts)}")
    cancelled = ledger.sent.get(ledger.keys.get(message), {}).get("cancelled")
    late = [t for t in ledger.accepted[message] if cancelled and ledger.posted[message][t] > cancelled]
    if late:
        broken.append(f"a result was accepted after the cancel was acknowledged: {message}")
    return broken
