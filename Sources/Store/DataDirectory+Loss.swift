import CSQLite
package import Relay

/// The outcome for a file that an operator has given up.
package enum AcceptedLoss: Sendable, Equatable {
  /// The file was missing; a new one was made.
  case missing
  /// The file could not be used. It was moved to the path, and a new one is in its place.
  case damaged(String, movedTo: String)
  /// The last writes are missing, as the text says; the rest is kept.
  case behind(String)
  /// The file is sound: nothing was done.
  case nothingLost
}

extension DataDirectory {
  /// A new, empty file for a workspace whose row is there and whose file is lost. A damaged one is
  /// moved aside and never deleted: somebody may still get something out of it. One that is whole,
  /// and lacks what was written last, stays.
  ///
  /// Before the first use of the file. What cannot be told damaged (no permission, another
  /// version) is an error.
  package func acceptLoss(of id: WorkspaceID, now: WallTime) throws(StoreError) -> AcceptedLoss {
    let path = path(of: id)
    var outcome = AcceptedLoss.missing
    if Files.exists(path) {
      guard let damage = try damage(of: id) else { return try acceptProgress(of: id) }
      outcome = .damaged(damage, movedTo: try setAside(id, now: now))
    } else if Files.exists(path + "-wal") {
      _ = try setAside(id, now: now)
    }
    try createWorkspaceFile(id, now: now).close()
    return outcome
  }

  /// Returns whether a file without a row seems to hold messages. The relay must not have the file
  /// open.
  package func holdsMessages(_ id: WorkspaceID) -> Bool {
    do throws(StoreError) {
      let still = try StillFile(path(of: id))
      defer { still.close() }
      return try still.messages() != (count: 0, last: 0)
    } catch {
      return true
    }
  }

  /// Returns what is wrong with the file, in words; `nil` if nothing is.
  private func damage(of id: WorkspaceID) throws(StoreError) -> String? {
    do throws(StoreError) {
      // As the relay opens it, so that what is found is what has closed it. It takes no log over
      // that it has not read.
      let file = try openWithoutProgress(id)
      defer { file.abandon() }
      _ = try file.recover(now: WallTime(nanoseconds: 0))
    } catch {
      guard error.isDamage else { throw error }
      return error.description
    }
    do throws(StoreError) {
      let still = try StillFile(path(of: id))
      defer { still.close() }
      return try still.findings(.workspace, workspace: id).first
    } catch {
      guard error.isDamage else { throw error }
      return error.description
    }
  }

  /// Into `removed/`, under a name that nothing reads. The file first: without its log it would look
  /// whole after a crash, and a log without a file is known as a lost one.
  private func setAside(_ id: WorkspaceID, now: WallTime) throws(StoreError) -> String {
    let old = path(of: id)
    let new = "\(path)/removed/\(id.text).db.lost-\(now.nanoseconds)"
    for suffix in ["", "-wal"] where Files.exists(old + suffix) {
      try Files.rename(old + suffix, to: new + suffix)
    }
    try Files.sync("\(path)/removed")
    try Files.sync(Files.folder(of: old))
    return new
  }
}

extension StoreError {
  /// The file's own trouble, or the disk's under it: no permission and no other version.
  fileprivate var isDamage: Bool {
    kind == .corrupt || kind == .workspaceFatal && code & 0xFF == SQLITE_IOERR
  }
}
