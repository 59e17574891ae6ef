import Relay
import Wire

/// Workspaces that nobody can use any more.
extension Directory {
  /// What brings back a workspace whose removal could not be written.
  struct Removal {
    fileprivate var record: WorkspaceRecord
    fileprivate var credentials: [(SHA256.Digest, Credential)] = []
  }

  /// From now on it is unknown to callers, and its tokens open nothing.
  mutating func remove(_ row: RegisteredWorkspace) -> Removal? {
    generation += 1
    if let before = removed[row.id] {
      removed[row.id]?.row = row
      return Removal(record: before)
    }
    guard let record = workspaces.removeValue(forKey: row.id) else { return nil }
    var removal = Removal(record: record)
    for digest in record.digests {
      if let token = tokens.removeValue(forKey: digest) {
        removal.credentials.append((digest, token))
      }
    }
    byShort[row.id.short]?.removeAll { $0 == row.id }
    var gone = record
    gone.row = row
    gone.digests = []
    gone.card = nil
    removed[row.id] = gone
    return removal
  }

  mutating func undo(_ removal: Removal) {
    generation += 1
    let id = removal.record.row.id
    guard removal.record.row.state == .active else {
      removed[id] = removal.record
      return
    }
    removed[id] = nil
    workspaces[id] = removal.record
    byShort[id.short, default: []].append(id)
    for (digest, credential) in removal.credentials { tokens[digest] = credential }
  }

  /// It is there again, with everything but its tokens.
  mutating func restore(_ row: RegisteredWorkspace) {
    guard var record = removed.removeValue(forKey: row.id) else { return }
    generation += 1
    record.row = row
    workspaces[row.id] = record
    byShort[row.id.short, default: []].append(row.id)
  }

  /// Nothing is left of it.
  mutating func forget(_ id: WorkspaceID) {
    generation += 1
    guard let record = removed.removeValue(forKey: id) else { return }
    order[record.place] = nil
    secrets.removeAll(of: id)
  }
}
