import Foundation
import Relay
import Testing

/// `docs/states.md` is what the tables say. `UPDATE_DOCS=1` writes it.
@Suite struct StatesDocumentTests {
  static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/states.md")

  @Test func `the document of the states is the rendering of the tables`() throws {
    if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
      try Self.page.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    let text = try String(contentsOf: Self.file, encoding: .utf8)
    #expect(text == Self.page, "run this test with UPDATE_DOCS=1")
    #expect(Self.page.split(separator: "\n", omittingEmptySubsequences: false).count <= 100)
  }

  static let page = """
    # States

    Two state machines decide what becomes of a call: one for the message, one for its task. This
    page is rendered from `MessageTable` and `TaskTable`
    (`UPDATE_DOCS=1 swift test --filter StatesDocumentTests`); another test drives a real queue
    through every cell.

    ## The message

    A message is `storing` until its write has passed the barrier, and then `queued`. A poll takes
    it as an *offer* (`confirm=1`, for ten seconds) or as a *lease*; the agent's first call turns an
    offer into a lease. A result makes the message `answering`, and `answered` once it is on disk.
    The other ends are `dead` (its attempts are used up), `expired` (its time to live is over) and
    `cancelled`. An operator can put a dead message back (`redriving`) as long as no caller has been
    told that it is dead; after that, only a copy of it can be queued (a *replay*).

    \(StatesMarkdown.messages)
    | in a cell | means |
    |---|---|
    | → state (write): answer | the new state, what is written, who is told what |
    | answer | nothing changes; only this is answered |
    | later | a write is under way: the event is applied after its report |
    | → its end | to the end that was written: `dead`, `expired` or `cancelled` |
    | → back, → gone | the write was rolled back: the old state again; it never existed |
    | (empty) | nothing happens, or the event cannot occur in this state |
    | (no row) | \(StatesMarkdown.silentEvents) change nothing in any state |

    | event | happens when |
    |---|---|
    | `durable`, `refused` | the write has passed the barrier; it was rolled back |
    | `pollDead` | the agent does not know of the delivery: its connection was lost, it acknowledged nothing within `writeTime`, or the same `consumer` polls again |
    | `lastAttemptEnd` | the last attempt is released, or its lease ends |
    | `result`, `lateResult` | the first result, under the current lease or under an earlier one |
    | `repeatedResult`, `otherResult` | after the answer: the accepted result once more; any other |
    | `withdraw` | every caller's hold has ended under `when_offline: error` |
    | `taskEnded` | another message, or a cancellation, has ended the task |

    An `offerEnd` or `pollDead` counts as no attempt, and the message returns to the head of the
    queue. Of `offersInARow` such deliveries the last one does count, so a message that crashes its
    agent is `dead` after `attempts` × `offersInARow` deliveries. The count is in the file; a restart
    does not reset it, an agent's call for the message does. If a write that nobody asked for is
    refused (`timeToLiveEnd`, `lastAttemptEnd`, `taskEnded`), it is tried again a second later.

    | write | is |
    |---|---|
    | `handOut` | the delivery's row, committed before the response leaves; no barrier is waited for |
    | `claim`, `extend` | a change of that row; the agent waits for the barrier |
    | `requeue` | the message is back at its old place; after a release the agent waits for the barrier |
    | `answer`, `end` | callers wait for the barrier |
    | `redrive` | the operator waits for the barrier; the task is open again |

    | answer | goes to |
    |---|---|
    | `ok`, `duplicate` (200); `alreadyAnswered`, `closed`, `leaseLost` (409); `unavailable` (503: nothing was stored) | the agent |
    | `entry` | the poll |
    | `stored` (the Task, at once), `answer` (the agent gets 200), `ended`, `task` (as it stands), `tooLate` | the callers |
    | `redriven`; `notDead`, `tooLate` (409) | the operator |

    ## The task

    A task opens with its first message and ends once; an end that a caller has heard of is never
    left. Its messages are delivered one at a time, in order; those that are left when it ends, end
    with it. A task that waits for input goes on with a further message: the write of that message
    also sets the task to `working`. After seven days without one it ends `failed`.

    \(StatesMarkdown.tasks)
    """
}
