import Relay
import Store

/// A workspace's file while it is open, and the facts that outlast its closing.
struct WorkspaceStorage {
  /// The file; `nil` while it is closed.
  private(set) var file: WorkspaceFile?
  /// The position of the newest message in the closed file.
  private var lastPosition: Int64 = 0
  /// Whether relay.db says that something may be due in the file.
  private var isMarked = false
  /// The final error that has closed the workspace.
  var failure: StoreError?
  /// The final error of a read.
  var damage: StoreError?

  init(_ file: WorkspaceFile) { self.file = file }

  mutating func reopen(_ file: WorkspaceFile) {
    file.lastPosition = lastPosition
    self.file = file
  }

  /// Closes the file, all of which is on the disk. Throws the error that SQLite reports; the file
  /// then stays open.
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

  /// Returns whether relay.db still has to store that something may be due in the file.
  mutating func mark() -> Bool {
    defer { isMarked = true }
    return !isMarked
  }

  mutating func unmark() { isMarked = false }
}
