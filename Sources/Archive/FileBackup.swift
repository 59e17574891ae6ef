import Relay
import Store
import Wire

/// One file of a backup, in slices: copied, hashed, counted, synced.
final class FileBackup {
  enum Turn {
    case more
    case sync([OpenFile])
    case whole
  }

  private enum Phase {
    case copying(DatabaseCopy)
    case hashing
    case counting(StillFile, after: Seq)
    case syncing
    case whole
  }

  let source: Source
  private(set) var entry: Manifest.File
  private let path: String
  private let limits: Limits
  private var phase: Phase
  private var hash = SHA256()
  private var hashed: Int64 = 0
  private var unsynced = 0

  enum Source: Equatable {
    case registry
    case workspace(WorkspaceID)
  }

  /// - `copy`: begun; `nil` if the file is there already.
  init(_ source: Source, place: String, in folder: String, _ copy: DatabaseCopy?, _ limits: Limits)
  {
    self.source = source
    entry = Manifest.File(path: place, bytes: 0, hash: "")
    if case .workspace(let id) = source { entry.workspace = id }
    path = folder + "/" + place
    self.limits = limits
    phase = copy.map(Phase.copying) ?? .hashing
  }

  var isCopying: Bool { if case .copying = phase { true } else { false } }

  func turn() throws(CopyFailure) -> Turn {
    switch phase {
    case .copying(let copy): return try advance(copy)
    case .hashing: return try destination { () throws(StoreError) in try advanceHash() }
    case .counting(let file, let seq):
      return try destination { () throws(StoreError) in try count(file, seq) }
    case .syncing:
      phase = .whole
      return .whole
    case .whole: preconditionFailure("a file is backed up once")
    }
  }

  private func advance(_ copy: DatabaseCopy) throws(CopyFailure) -> Turn {
    let pages = max(1, limits.backupSliceBytes / 4096)
    if try copy.step(pages: pages) {
      phase = .hashing
      return .more
    }
    // Not all at the end: the destination's pace is the backup's, and what lies unwritten in the
    // page cache would delay the relay's own syncs.
    unsynced += pages * 4096
    guard unsynced >= limits.backupSyncBytes else { return .more }
    unsynced = 0
    return .sync([try destination { () throws(StoreError) in try OpenFile(path) }])
  }

  private func advanceHash() throws(StoreError) -> Turn {
    let slice = try Files.slice(of: path, at: hashed, count: limits.backupSliceBytes)
    hash.update(slice)
    hashed += Int64(slice.count)
    guard slice.count < limits.backupSliceBytes else { return .more }
    entry.bytes = hashed
    entry.hash = hash.finalize().hex
    guard entry.workspace != nil else { return try sync() }
    phase = .counting(try StillFile(path), after: 0)
    return .more
  }

  private func count(_ file: StillFile, _ seq: Seq) throws(StoreError) -> Turn {
    let found = try file.messages(after: seq, limit: Limits.backupCountedMax)
    entry.messages += found.count
    if found.count == Limits.backupCountedMax {
      phase = .counting(file, after: found.last)
      return .more
    }
    entry.lastSeq = max(found.last, try file.lastDeleted())
    file.close()
    return try sync()
  }

  private func sync() throws(StoreError) -> Turn {
    phase = .syncing
    return .sync([try OpenFile(path), try OpenFile(Files.folder(of: path))])
  }

  private func destination<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(CopyFailure) -> Value {
    do throws(StoreError) { return try body() } catch { throw .destination(error) }
  }

  /// Ends it, and takes away what there is of it.
  func discard() throws(StoreError) {
    if case .copying(let copy) = phase { copy.cancel() }
    phase = .whole
    try Files.remove(path)
  }
}
