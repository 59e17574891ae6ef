import Foundation
import Relay
import Testing

/// `docs/states.md` is what the tables say. `UPDATE_DOCS=1` writes it.
@Suite struct StatesDocumentTests {
  static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/states.md")

  @Test func `the document of the states is the rendering of the tables`() throws {
    let rendering = """
      \(Self.prose)

      ## The message, state by state

      \(MessageTable.markdown)
      ## The task

      \(TaskTable.markdown)
      """
    if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
      try rendering.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    let text = try String(contentsOf: Self.file, encoding: .utf8)
    #expect(text == rendering, "run the tests with UPDATE_DOCS=1")
  }

  static let prose = """
    # States

    Two small machines decide what becomes of a call: that of the message and that of its task. The
    tables below are rendered from `MessageTable` and `TaskTable`; a test compares this page with
    them, and another drives a real queue through every cell.

    ## The life of a message

    A message is `storing` until its write has passed the barrier. Then it is `queued`, and a poll
    may take it: as an *offer* (`confirm=1`, ten seconds) or as a *lease*. An offer becomes a lease
    by the agent's first call for it. A result makes it `answering`, and `answered` once that is on
    disk: exactly one answer, for ever. The other ends are `dead` (attempts used up), `expired`
    (time to live) and `cancelled` (on somebody's word); `withdrawing` and `closing` are the ways
    there. `redriving` is the one way back: an operator puts a dead message into the queue again, at
    its tail and with all its attempts. That happens only while no caller has been told that it is
    dead; afterwards a copy of it is queued (a *replay*), and it stays what it is.

    While a write is on its way (`storing`, `answering`, `withdrawing`, `closing`, `redriving`)
    nothing else happens to the message: no timer acts and no other transition starts. What arrives
    is kept and happens after the report, in its order: *after the report* in the tables.

    A write has two reports. `durable`: it has passed the barrier. `refused`: it was rolled back, so
    the message goes back to where it stood, or vanishes if it was never stored. What ends by itself
    (time to live, the last attempt, the end of its task) is tried again a second later.

    ## Events

    `claim`, `extend`, `release` and the four results are an agent's calls. A `result` carries the
    current fence, a `lateResult` an earlier one while nobody has answered: the first one wins.
    `repeatedResult` is the accepted one again, `otherResult` any other. `offerEnd`, `leaseEnd` and
    `timeToLiveEnd` are timers; `lastAttemptEnd` is a release or a lost lease of the last attempt.
    `pollDead` means that the agent does not know of the hand-out: its connection was lost, or
    nothing of the response was acknowledged within `writeTime`, or the same `consumer` polls again
    on a new connection. `offerEnd` and `pollDead` share one rule: the hand-out counts as no attempt
    and the message goes back to the head, but of `offersInARow` such hand-outs in a row the last
    one counts, with a back-off. The file holds that number, so no restart resets it. An agent call
    for the message does. So a message that ends its agent each time is `dead` after `attempts` ×
    `offersInARow` hand-outs at most, and messages behind it are handed out meanwhile. `withdraw` is the end of every caller's hold under `when_offline: error`; it removes only
    what was never handed out. `taskEnded` follows from the other table. `cancel`, `purge`, `redrive`
    and `workspaceRemoved` are operators' verbs.

    ## Writes

    `handOut` is one row, committed but not waited for. `claim` and `extend` change that row, and the
    agent waits for that. `requeue` puts the message back at its old position; after a release the
    agent waits for it. `answer` and `end` are the writes that callers wait for, `redrive` is one that
    an operator waits for; it opens the task again, of whose end nobody has heard.

    ## Tells

    What goes to callers leaves after the barrier. Agents: `ok`, `duplicate` (200), `alreadyAnswered`,
    `closed` and `leaseLost` (409), `unavailable` (503: nothing was stored). Polls: `entry`. Callers:
    `stored` (the Task, at once), `answer`, `ended`, `task` (as it stands), `tooLate`.
    Operators: `redriven`, `notDead` (409), `tooLate` (409).

    ## The life of a task

    A task opens with its first message (`submitted`), works once a message of it is handed out, may
    wait for input or for authorization, and ends once. A terminal state is never left once a
    caller has heard of it. What it
    waits for comes with a further message, whose own write sets the task to work again: whoever is
    told that the message is stored is told `working`, also after a crash. Its messages are handed
    out one at a time, in order; when it ends, those that are left end with it. A task that waits
    for input ends `failed` when nobody has gone on with it for seven days.
    """
}
