import Relay
import Store
import System

/// A change of the registry: the writes of one operation, and what follows once they are durable or
/// refused. All of it is one value, so that none can be submitted without the others.
struct RegistryChange {
  /// The writes for the turn's transaction, in their order. A change without any waits for the
  /// turn's barrier: its reply tells of what another change has written.
  private(set) var writes: [RegistryWrite] = []
  /// The workspace's row as the writes leave it: the next change builds on it.
  private(set) var row: RegisteredWorkspace?
  /// The workspace that the change is about.
  private(set) var workspace: WorkspaceID?
  /// The workspace is new, and its file is there already.
  private(set) var isCreation = false
  /// The line of the audit that the log repeats once it is durable.
  private(set) var record: AuditEntry?
  /// The answer once the writes are durable; `nil`: nobody waits.
  var reply: Reply?
  /// The error that is answered if the writes are refused.
  var refusal = RelayError.notStored
  /// Changes the directory once the writes are durable.
  var apply: (inout Directory) -> Void = { _ in }
  /// Takes back what the directory was told before the writes were durable, if they are refused.
  var undo: (inout Directory) -> Void = { _ in }
  /// Called first once the writes are durable or refused: nothing of the change is pending.
  var settled: () -> Void = {}
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

  /// Writes a line of the audit.
  ///
  /// - `isLogged`: the log repeats it once it is durable; the change has no log line of its own.
  mutating func audit(_ entry: AuditEntry, isLogged: Bool = true) {
    writes.append(.audit(entry))
    if isLogged { record = entry }
  }
}

/// The rows of workspaces with writes that are not durable yet.
struct PendingRows {
  private var rows: [WorkspaceID: (row: RegisteredWorkspace, writes: Int)] = [:]

  var isEmpty: Bool { rows.isEmpty }

  /// The row as the newest write will leave it.
  subscript(id: WorkspaceID) -> RegisteredWorkspace? { rows[id]?.row }

  var all: [RegisteredWorkspace] { rows.values.map(\.row) }

  /// Returns the row that was pending before this one.
  mutating func add(_ row: RegisteredWorkspace) -> RegisteredWorkspace? {
    let before = rows[row.id]
    rows[row.id] = (row, (before?.writes ?? 0) + 1)
    return before?.row
  }

  /// A refused write has left the row as it was before.
  mutating func putBack(_ row: RegisteredWorkspace) { rows[row.id]?.row = row }

  /// One of the row's writes is durable or refused.
  mutating func settle(_ id: WorkspaceID) {
    guard var row = rows.removeValue(forKey: id) else { return }
    row.writes -= 1
    if row.writes > 0 { rows[id] = row }
  }
}
