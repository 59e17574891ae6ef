import Relay
import Store

/// Reads of the workspace's file. All of them go through `reading`.
extension Workspace {
  /// Opens the file if it is closed. Throws `tooManyOpen` while all open ones are busy.
  func openFile() throws(RelayError) { try pool.openFile(of: self) }

  /// The file's answer, or the error that the caller gets when the file fails.
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
    // A message that waited behind the question has set it to work by the start, without a row.
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

  /// Whether the file no longer has a message that it had: it has ended, whatever the agent was
  /// told then.
  func isDeleted(_ seq: Seq) throws(RelayError) -> Bool {
    guard seq <= queue.lastSeq, queue.message(seq) == nil else { return false }
    return try storedMessage(seq) == nil
  }
}
