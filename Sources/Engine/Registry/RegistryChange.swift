import Relay
import Store
import System

/// A change of the registry: the writes of one operation, and the effects once they are durable or
/// refused. It is one value, so that no effect can be forgotten.
struct RegistryChange {
  /// The writes for the turn's transaction, in order. A change without writes waits for the turn's
  /// barrier, because its reply shows what another change has written.
  private(set) var writes: [RegistryWrite] = []
  /// The workspace's row after the writes; the next change starts from it.
  private(set) var row: RegisteredWorkspace?
  /// The workspace that the change is about.
  private(set) var workspace: WorkspaceID?
  /// Whether the workspace is new. Its file exists already.
  private(set) var isCreation = false
  /// The audit line that the log repeats once it is durable.
  private(set) var record: AuditEntry?
  /// The reply once the writes are durable; `nil` if nobody waits.
  var reply: Reply?
  /// The error of the reply if the writes are refused.
  var refusal = RelayError.notStored
  /// Changes the directory once the writes are durable.
  var apply: (inout Directory) -> Void = { _ in }
  /// Takes back early changes of the directory if the writes are refused.
  var undo: (inout Directory) -> Void = { _ in }
  /// Called first once the writes are durable or refused, when no part of the change is pending.
  var finished: () -> Void = {}
  /// Called before the answer if the writes are refused.
  var refused: (Now) -> Void = { _ in }
  /// Called after the answer once the writes are durable.
  var then: (Now) -> Void = { _ in }

  init(_ writes: [RegistryWrite] = [], about workspace: WorkspaceID? = nil, reply: Reply? = nil) {
    self.writes = writes
    self.workspace = workspace
    self.reply = reply
  }

  mutating func write(_ write: RegistryWrite) { writes.append(write) }

  /// Writes every column of a workspace's row.
  mutating func update(_ row: RegisteredWorkspace) {
    writes.append(.updateWorkspace(row))
    set(row)
  }

  /// Writes the row of a workspace whose file has just been made.
  mutating func create(_ row: RegisteredWorkspace) {
    writes.append(.createWorkspace(row))
    set(row)
    isCreation = true
  }

  /// Writes all rows of a workspace that another relay had, and whose file is there already.
  mutating func insert(_ rows: [RegistryRow], of row: RegisteredWorkspace) {
    writes.append(.insertRows(rows))
    set(row)
    isCreation = true
  }

  private mutating func set(_ row: RegisteredWorkspace) {
    self.row = row
    workspace = row.id
  }

  /// Writes an audit line.
  ///
  /// - `isLogged`: the log repeats the line once it is durable, because the change has no log line
  ///   of its own.
  mutating func audit(_ entry: AuditEntry, isLogged: Bool = true) {
    writes.append(.audit(entry))
    if isLogged { record = entry }
  }
}

/// The rows of workspaces that have writes which are not durable yet.
struct PendingRows {
  private var rows: [WorkspaceID: (row: RegisteredWorkspace, writes: Int)] = [:]

  var isEmpty: Bool { rows.isEmpty }

  /// Returns the row as the newest write will leave it.
  subscript(id: WorkspaceID) -> RegisteredWorkspace? { rows[id]?.row }

  var all: [RegisteredWorkspace] { rows.values.map(\.row) }

  /// Adds a pending write of the row. Returns the row that was pending before.
  mutating func add(_ row: RegisteredWorkspace) -> RegisteredWorkspace? {
    let before = rows[row.id]
    rows[row.id] = (row, (before?.writes ?? 0) + 1)
    return before?.row
  }

  /// Restores the row that was pending before a refused write.
  mutating func putBack(_ row: RegisteredWorkspace) { rows[row.id]?.row = row }

  /// Removes one pending write of the row, which is durable or refused.
  mutating func removeWrite(_ id: WorkspaceID) {
    guard var row = rows.removeValue(forKey: id) else { return }
    row.writes -= 1
    if row.writes > 0 { rows[id] = row }
  }
}
