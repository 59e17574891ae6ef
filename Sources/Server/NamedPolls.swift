import Engine
import HTTPServer
import Relay

/// The polls of consumers that have named themselves, while their messages may come back to them
/// when the connection ends.
struct NamedPolls {
  private struct NamedPoll {
    var ticket: Ticket
    /// What the poll was given; `nil` while it waits.
    var given: (workspace: WorkspaceID, seqs: [Seq])?
  }

  private var polls: [PollID: NamedPoll] = [:]
  /// At this many, those that no longer count are dropped.
  private var sweepsAt = Limits.namedPollsKept

  mutating func add(_ poll: PollID, _ ticket: Ticket) { polls[poll] = NamedPoll(ticket: ticket) }

  mutating func remove(_ poll: PollID) { polls[poll] = nil }

  func ticket(of poll: PollID) -> Ticket? { polls[poll]?.ticket }

  /// Notes what a poll was given. A poll is remembered for as long as its consumer has not touched
  /// any of that.
  mutating func answered(_ reply: Reply, by engine: Engine) {
    guard polls[reply.call] != nil else { return }
    guard case .handOut(let id, _, let seqs) = reply.receipt else {
      polls[reply.call] = nil
      return
    }
    polls[reply.call]?.given = (id, seqs)
    guard polls.count >= sweepsAt else { return }
    polls = polls.filter { poll, named in
      named.given.map { engine.agents.isUntouched(poll, $0.seqs, at: $0.workspace) } ?? true
    }
    sweepsAt = max(Limits.namedPollsKept, 2 * polls.count)
  }
}
