import Relay
import Store
import Testing

/// Rounds, checkpoints, a file written once more, a close and an opening, as the loop would drive
/// them.
struct Life {
  static let rounds: [[Write]] = [
    [.message(newMessage(1, body: [UInt8](repeating: 1, count: 9000))), .message(newMessage(2))],
    [.handOut(handOut(1, fence: 1)), .message(newMessage(3))],
    [.answer(answer(1)), .task(seq: 1, state: .completed, at: start)],
    [.received(seq: 1, .end, at: start), .message(newMessage(4))],
    [.end(seq: 2, state: .dead, reason: .attemptsUsedUp, at: start), .message(newMessage(5))],
    [.message(newMessage(6, body: [UInt8](repeating: 2, count: 20000)))],
  ]

  let scratch: Scratch
  var retriesWhenFull = false
  /// Indices of the rounds whose commit returned.
  private(set) var done: Set<Int> = []
  private var directory: DataDirectory?
  private var file: WorkspaceFile?

  init(_ scratch: Scratch) { self.scratch = scratch }

  mutating func leaveWAL() throws {
    let directory = try scratch.open(vfs: "fault")
    let file = try directory.createWorkspaceFile(workspace, now: start)
    try file.commit(Self.rounds[0])
    file.abandon()
    directory.registry.abandon()
  }

  /// Until its end or the first error that is final.
  mutating func run() -> StoreError? {
    do throws(StoreError) {
      try again { (life) throws(StoreError) in
        if life.directory == nil {
          life.directory = try DataDirectory(
            path: life.scratch.data, limits: Limits(), kernelBoot: "boot-1", vfs: "fault")
        }
        guard let directory = life.directory else { return }
        life.file = try directory.createWorkspaceFile(workspace, now: start)
      }
      for index in Self.rounds.indices {
        try again { (life) throws(StoreError) in
          try life.file?.commit(Self.rounds[index])
          life.done.insert(index)
        }
        if index == 1 || index == 4 { try checkpoint(.passive) }
        if index == 4 { try again { (life) throws(StoreError) in try life.file?.shrink() } }
        if index == 3 {
          try checkpoint(.truncate)
          try reopen()
        }
      }
      return nil
    } catch {
      return error
    }
  }

  private mutating func again(_ body: (inout Life) throws(StoreError) -> Void) throws(StoreError) {
    do throws(StoreError) {
      try body(&self)
    } catch {
      guard retriesWhenFull, error.kind == .full else { throw error }
      try body(&self)
    }
  }

  private mutating func checkpoint(_ mode: CheckpointMode) throws(StoreError) {
    try again { (life) throws(StoreError) in try life.file?.checkpoint(mode) }
  }

  private mutating func reopen() throws(StoreError) {
    file?.markSynced()
    try file?.close()
    file = try directory?.openWorkspaceFile(workspace)
  }

  /// As a process that ends: nothing more is written.
  mutating func end() {
    file?.abandon()
    directory?.registry.abandon()
    file = nil
    directory = nil
  }

  /// Opens everything anew, without faults, and compares it with what was said.
  func verify() throws {
    // Under the same boot a header of a log that was half written would count as damaged.
    let directory = try scratch.open(boot: "boot-2")
    guard try directory.workspaceFiles() == [workspace] else { return #expect(done.isEmpty) }
    let file = try directory.openWorkspaceFile(workspace)
    for (index, writes) in Self.rounds.enumerated() {
      for case .message(let new) in writes {
        #expect(try file.body(new.seq)?.body == (done.contains(index) ? new.body : nil))
        #expect(try (file.message(new.seq) != nil) == done.contains(index))
      }
    }
    #expect(try file.timeline(1).handOuts.isEmpty != done.contains(1))
    #expect(try (file.answer(1) != nil) == done.contains(2))
    #expect(try (file.task(1)?.state == .completed) == done.contains(2))
    #expect(try (file.message(1)?.isReceived ?? false) == done.contains(3))
    #expect(try (file.message(2)?.state == .dead) == done.contains(4))
    file.abandon()
    #expect(try number("SELECT count(*) FROM pragma_integrity_check", file.path) == 1)
    #expect(
      try number(
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", file.path) == 1)
  }
}
