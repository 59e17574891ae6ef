import Relay
import Testing

@testable import Store

/// The numbers of states and kinds on disk. A change of one would misread every existing file.
@Suite struct RawTests {
  @Test func `the numbers in statements are those of the file format`() {
    #expect(Raw.queued == 2 && Raw.answered == 6 && Raw.dead == 7)
    #expect(Raw.firstEnd == 6 && Raw.firstFailed == 7)
    #expect(Raw.submitted == 1 && Raw.working == 2 && Raw.failed == 7 && Raw.interrupted == "3, 4")
    #expect(Raw.shown == 3 && Raw.claimed == 1 && Raw.unburnt == 5 && Raw.withheld == 8)
    #expect(Raw.running == 1 && Raw.purging == 3)
  }

  @Test func `statements have the numbers, not the names`() {
    #expect(
      WorkspaceSQL.continueTask.text
        == "UPDATE task SET state = 2, changed = ? WHERE seq = ? AND state IN (3, 4)")
    #expect(
      WorkspaceSQL.requeue.text
        == "UPDATE message SET state = 2, attempt = ?, not_before = ? WHERE seq = ?")
    let tables = Schema.workspace.tables
    #expect(tables.contains("ON message(seq) WHERE state = 2 OR received_at IS NULL;"))
    #expect(tables.contains("ON message(state, seq) WHERE state >= 7;"))
    #expect(tables.contains("ON task(seq) WHERE state IN (3, 4);"))
  }

  @Test func `an end without an answer is a state from the first failed one`() {
    // The other states are of memory only.
    for state in MessageState.allCases where state.isEnd || state == .queued {
      #expect(state.isEnd == (state.rawValue >= Raw.firstEnd))
      #expect((state.isEnd && state != .answered) == (state.rawValue >= Raw.firstFailed))
    }
  }
}
