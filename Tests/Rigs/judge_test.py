"""The judge itself: made-up logs with one broken promise each must be found, a clean one must not."""
from rigkit.ledger import Ledger, judge, judge_timeline
from rigkit.relay import check, main, say


def clean():
    """One message, sent, handed out and answered: the ledger and what the relay says at the end."""
    ledger = Ledger()
    ledger.sending("k", "w", "t")
    ledger.send_acknowledged("k", "m", "task")
    hand_out(ledger, "m")
    ledger.posting("m", "yes")
    ledger.result_accepted("m", "yes", {"status": "accepted"})
    return ledger, {"m": (200, "answered", "yes")}


def hand_out(ledger, message, key="k", **given):
    entry = {"attempt": 1, "redelivered": False, "replay": False} | given
    ledger.hand_out(key, message, ledger.now, entry, "a")


def nothing(ledger, final):
    pass


def lost(ledger, final):
    final["m"] = (404, None, None)


def never_answered(ledger, final):
    final["m"] = (200, "stored", None)


def other_answer(ledger, final):
    final["m"] = (200, "answered", "no")


def two_results(ledger, final):
    ledger.posting("m", "no")
    ledger.result_accepted("m", "no", {"status": "accepted"})


def accepted_again(ledger, final):
    ledger.result_accepted("m", "yes", {"status": "accepted"}, again=True)


def handed_twice(ledger, final):
    hand_out(ledger, "m")


def handed_twice_marked(ledger, final):
    hand_out(ledger, "m", attempt=2)
    hand_out(ledger, "m", redelivered=True)


def doubled(ledger, final):
    hand_out(ledger, "m2")


def cancel_undone(ledger, final):
    ledger.cancel_acknowledged("k")


def answered_after_cancel(ledger, final):
    ledger.cancel_acknowledged("k")
    final["m"] = (200, "cancelled", None)
    ledger.posting("m", "late")
    ledger.accepted["m"] = set()
    ledger.result_accepted("m", "late", {"status": "accepted"})


def refused_yet_handed(ledger, final):
    ledger.sending("r", "w", "t")
    ledger.send_refused("r", "QUEUE_FULL")
    hand_out(ledger, "m3", key="r")


def changed_for_callers(ledger, final):
    ledger.answer_seen("m", "something else")


def key_forgotten(ledger, final):
    ledger.repeated("k", "m2")


def key_kept(ledger, final):
    ledger.repeated("k", "m")


def dead(ledger, final):
    final["m"] = (200, "dead", None)


CASES = {
    nothing: None, key_kept: None, key_forgotten: "doubled", handed_twice_marked: None, lost: "lost", never_answered: "never answered",
    other_answer: "nobody gave", two_results: "more than one answer", accepted_again: "second post",
    handed_twice: "handed out 2 times", doubled: "doubled", cancel_undone: "cancelled, yet",
    answered_after_cancel: "after the cancel", refused_yet_handed: "refused, yet",
    changed_for_callers: "more than one answer", dead: "never answered",
}


def run(args):
    for break_it, expected in CASES.items():
        ledger, final = clean()
        break_it(ledger, final)
        broken = judge(ledger, final)
        if expected is None:
            check(not broken, f"{break_it.__name__}: {broken}")
        else:
            check(any(expected in text for text in broken), f"{break_it.__name__}: {broken}")
    ledger, _ = clean()
    told = [{"event": "stored"}, {"event": "handed_out", "lease": None}, {"event": "answered"}]
    check(not judge_timeline(ledger, "m", told, True), "a whole timeline")
    check(judge_timeline(ledger, "m", told[::2], True), "a hand-out is missing")
    check(judge_timeline(ledger, "m", told + told[2:], False), "answered twice")
    say(f"{len(CASES)} logs judged")


if __name__ == "__main__":
    main(run)
