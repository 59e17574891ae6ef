package import Relay
import Wire

/// Workspaces that nobody can use any more.
extension Directory {
  /// What brings back a workspace whose removal could not be written.
  struct Removal {
    fileprivate var record: WorkspaceRecord
  }

  /// From now on it is unknown to callers, and its tokens open nothing.
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
    // The relay's own note: the row may have been made before it was changed.
    gone.row.nextWakeAt = record.row.nextWakeAt
    removed[row.id] = gone
    return Removal(record: record)
  }

  /// The removal, or what made a purge of it, is durable.
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

  /// It is there again, with everything but its tokens.
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

  /// Nothing is left of it but, if they are kept, the tokens that its removal has ended.
  mutating func forget(_ id: WorkspaceID, keepsTokens: Bool) {
    generation += 1
    guard let record = removed.removeValue(forKey: id) else { return }
    removedRolls.remove(record.row)
    uses.remove(record.row)
    tokens.dropAll(of: .workspace(id), but: keepsTokens ? record.row.leftAt : nil)
    secrets.removeAll(of: id)
  }

  /// A token that counted until its workspace was removed.
  package struct EndedToken {
    package let workspace: WorkspaceID
    package let at: WallTime
    /// The removal is on the disk.
    package let isDurable: Bool
  }

  /// What has ended the token, if that was the removal of its workspace. One that was revoked or
  /// had expired before that is as unknown as any other.
  package func endedToken(_ secret: ArraySlice<UInt8>) -> EndedToken? {
    guard let entry = tokens.entry(SHA256.hash(Array(secret))), entry.isDurable,
      let id = entry.row.workspace, !isThere(id), let at = entry.row.revokedAt,
      entry.row.end == at, removed[id].map({ $0.row.leftAt == at }) ?? true
    else { return nil }
    return EndedToken(workspace: id, at: at, isDurable: entry.revocation == .durable)
  }

  /// A new workspace of this id has nothing to do with the one that was purged.
  mutating func forgetTokens(ofPurged id: WorkspaceID) {
    changeTokens { $0.dropAll(of: .workspace(id)) }
  }
}

extension RegisteredWorkspace {
  /// When it was removed. (A row without that time was not made by a relay.)
  package var leftAt: WallTime { removedAt ?? createdAt }
}
