import Relay
import Store

/// A workspace's file while it is open, and what is remembered of it while it is closed.
struct WorkspaceStorage {
  /// `nil` while it is closed.
  private(set) var file: WorkspaceFile?
  /// Of the closed file: the position of its newest message.
  private var lastPosition: Int64 = 0
  /// relay.db says that something may come due in the file.
  private var isMarked = false
  /// The final error that has closed the workspace.
  var failure: StoreError?
  /// A final error of a read.
  var damage: StoreError?

  init(_ file: WorkspaceFile) { self.file = file }

  mutating func reopen(_ file: WorkspaceFile) {
    file.lastPosition = lastPosition
    self.file = file
  }

  /// Everything of it is on the disk. Throws what SQLite reports; the file stays open then.
  mutating func close() throws(StoreError) {
    guard let file else { return }
    try file.close()
    lastPosition = file.lastPosition
    self.file = nil
  }

  mutating func abandon() {
    file?.abandon()
    file = nil
  }

  /// Returns whether relay.db has yet to be told that something may come due in the file.
  mutating func mark() -> Bool {
    defer { isMarked = true }
    return !isMarked
  }

  mutating func unmark() { isMarked = false }
}
