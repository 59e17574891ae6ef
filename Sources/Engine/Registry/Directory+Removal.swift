package import Relay
import Wire

/// The directory's changes when workspaces are removed, restored and purged.
extension Directory {
  /// The state from which a workspace is restored if its removal is not stored.
  struct Removal {
    fileprivate var record: WorkspaceRecord
  }

  /// Removes a workspace: callers no longer find it, and its tokens open nothing.
  mutating func remove(_ row: RegisteredWorkspace) -> Removal? {
    generation += 1
    if let before = removed[row.id] {
      uses.remove(before.row)
      uses.add(row)
      removed[row.id]?.row = row
      return Removal(record: before)
    }
    guard let record = workspaces.removeValue(forKey: row.id) else { return nil }
    tokens.revokeAll(of: .workspace(row.id), at: row.leftAt)
    byShort[row.id.short]?.removeAll { $0 == row.id }
    move(row.id, from: record.row.parent, to: nil)
    rolls.remove(row)
    uses.remove(record.row)
    uses.add(row)
    made.drop(row.id)
    var gone = record
    gone.row = row
    // Only the relay sets this time; the row may hold an older one.
    gone.row.nextWakeAt = record.row.nextWakeAt
    removed[row.id] = gone
    return Removal(record: record)
  }

  /// Marks the removal, or its change into a purge, as durable.
  mutating func confirmRemoval(_ row: RegisteredWorkspace) {
    if row.state == .removed { removedRolls.add(row) } else { removedRolls.remove(row) }
    changeTokens { $0.confirmRemoval(of: .workspace(row.id)) }
  }

  mutating func undo(_ removal: Removal) {
    generation += 1
    let id = removal.record.row.id
    let gone = removed.removeValue(forKey: id)
    if let gone { uses.remove(gone.row) }
    guard removal.record.row.state == .active else {
      uses.add(removal.record.row)
      removed[id] = removal.record
      return
    }
    let passed = gone?.passed
    tokens.putBack(of: .workspace(id))
    comeBack(removal.record)
    if let passed { put(passed) }
  }

  /// Restores the workspace, with everything but its tokens.
  mutating func restore(_ row: RegisteredWorkspace) {
    guard var record = removed.removeValue(forKey: row.id) else { return }
    uses.remove(record.row)
    generation += 1
    removedRolls.remove(row)
    let wake = record.row.nextWakeAt
    record.row = row
    record.row.nextWakeAt = wake
    record.passed = nil
    comeBack(record)
  }

  private mutating func comeBack(_ record: WorkspaceRecord) {
    let row = record.row
    workspaces[row.id] = record
    uses.add(row)
    byShort[row.id.short, default: []].append(row.id)
    move(row.id, from: nil, to: row.parent)
    rolls.add(row)
  }

  /// Forgets the workspace.
  ///
  /// - `keepsTokens`: keeps the tokens that its removal has ended, so that their holders can be
  ///   notified.
  mutating func forget(_ id: WorkspaceID, keepsTokens: Bool) {
    generation += 1
    guard let record = removed.removeValue(forKey: id) else { return }
    removedRolls.remove(record.row)
    uses.remove(record.row)
    tokens.dropAll(of: .workspace(id), but: keepsTokens ? record.row.leftAt : nil)
    secrets.removeAll(of: id)
  }

  /// A token that was valid until its workspace was removed.
  package struct EndedToken {
    package let workspace: WorkspaceID
    package let at: WallTime
    /// Whether the removal is on the disk.
    package let isDurable: Bool
  }

  /// Returns the token's workspace if the removal of that workspace has ended the token. A token
  /// that was revoked or had expired before is unknown.
  package func endedToken(_ secret: ArraySlice<UInt8>) -> EndedToken? {
    guard let entry = tokens.entry(SHA256.hash(Array(secret))), entry.isDurable,
      let id = entry.row.workspace, !isThere(id), let at = entry.row.revokedAt,
      entry.row.end == at, removed[id].map({ $0.row.leftAt == at }) ?? true
    else { return nil }
    return EndedToken(workspace: id, at: at, isDurable: entry.revocation == .durable)
  }

  /// Forgets the tokens of a purged workspace: a new workspace of this id is unrelated to it.
  mutating func forgetTokens(ofPurged id: WorkspaceID) {
    changeTokens { $0.dropAll(of: .workspace(id)) }
  }
}

extension RegisteredWorkspace {
  /// The time of the removal. (Every relay writes that time; `createdAt` stands in for a row
  /// without it.)
  package var leftAt: WallTime { removedAt ?? createdAt }
}
