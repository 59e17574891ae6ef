import Relay
import Store

/// Reads the workspace's file; every read goes through `reading`.
extension Workspace {
  /// Opens the file if it is closed. Throws `tooManyOpen` while all open ones are busy.
  func openFile() throws(RelayError) { try pool.openFile(of: self) }

  /// Returns the result of a read. Throws the error that the caller gets when the file fails.
  func reading<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(RelayError) -> Value {
    try openFile()
    do throws(StoreError) { return try body() } catch {
      process.failed(error, workspace: id)
      if error.isFinalForWorkspace {
        noteDamage(error)
      }
      throw .workspaceUnavailable
    }
  }

  func storedTask(_ seq: Seq) throws(RelayError) -> StoredTask? {
    var task = try reading { () throws(StoreError) in try file.task(seq) }
    // A start lets a message that waited behind the question go on without writing a row: the task
    // is working.
    if task?.state.isInterrupted == true, queue.settledTaskState(seq) == .working {
      task?.state = .working
    }
    return task
  }

  func storedMessage(_ seq: Seq) throws(RelayError) -> StoredMessage? {
    try reading { () throws(StoreError) in try file.message(seq) }
  }

  func tombstone(_ id: MessageID) throws(RelayError) -> Tombstone? {
    let found = try reading { () throws(StoreError) in try file.tombstone(id.seq) }
    return found.flatMap { $0.tag == id.tag ? $0 : nil }
  }

  /// Returns whether the file no longer has a message that it had. Such a message has ended,
  /// whatever its agent was answered.
  func isDeleted(_ seq: Seq) throws(RelayError) -> Bool {
    guard seq <= queue.lastSeq, queue.message(seq) == nil else { return false }
    return try storedMessage(seq) == nil
  }
}
