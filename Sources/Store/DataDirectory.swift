import Glibc
package import Relay
import System

/// The directory in which the relay keeps everything, held by this process alone.
///
/// `relay.lock` · `relay.db` · `reserve` · `reserve-deletion` · `workspaces/ab/ID.db` · `removed/`
package final class DataDirectory {
  package let path: String
  package let fileSystem: FileSystem
  /// The kernel's boot id and the registry's life: another one means that the machine has been off
  /// in between, or that what is here is an older state.
  package private(set) var kernelBoot: String
  package let registry: RegistryFile
  package let room: DiskRoom
  let lock: DirectoryLock
  private let directory: FileDescriptor
  private let vfs: String?
  private let closed = ClosedFiles()
  /// Called before a workspace's file is opened or put away: who else has it open must let it go.
  package var beforeUse: (WorkspaceID) -> Void = { _ in }
  /// Folders whose own entry this process has made durable.
  private var durableFolders: Set<String> = []

  /// Opens the directory, or makes it. `kernelBoot` and `vfs` are for tests.
  ///
  /// - `isAfterRollback`: relay.db may be an older state of itself.
  package init(
    path: String, limits: Limits, kernelBoot: String? = nil, vfs: String? = nil,
    isAfterRollback: Bool = false
  ) throws(StoreError) {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    try Files.checkLength(of: path, limits: limits)
    guard !Files.exists(path + "/" + Self.restoring) else {
      throw StoreError(
        kind: .other, call: "open", path: path,
        message: "a restore into it was cut short: empty it, and restore again")
    }
    try Self.makeFolders(path)
    let lock = try DirectoryLock(directory: path)
    let noted = lock.notedProgress
    // Before the first write: syncfs reports the errors since its descriptor was opened.
    let directory = try Files.open(path, O_RDONLY | O_DIRECTORY)
    let room = DiskRoom(
      path: path, plan: try DiskPlan(total: FileSystem.totalBytes(path), limits: limits))
    let boot = kernelBoot ?? Self.kernelBootID()
    registry = try room.whileFull { () throws(StoreError) in
      try Self.openRegistry(path, boot, vfs, noted: isAfterRollback ? 0 : noted)
    }
    self.path = path
    self.room = room
    fileSystem = try FileSystem.of(descriptor: directory.raw, path: path)
    let life = try registry.life()
    self.kernelBoot = life.isEmpty ? boot : boot + "/" + life
    registry.lives(self.kernelBoot)
    self.lock = lock
    self.directory = directory
    self.vfs = vfs
  }

  private static func openRegistry(
    _ folder: String, _ boot: String, _ vfs: String?, noted: Int64
  ) throws(StoreError) -> RegistryFile {
    let path = folder + "/relay.db"
    if !Files.exists(path) {
      try Progress.check(0, noted: noted, of: path, Progress.registryRemedy)
      try Database.create(at: path, schema: .registry, vfs: vfs)
    }
    try refuseMissingRegistryLog(path)
    let registry = RegistryFile(
      database: try Database.open(path, schema: .registry, vfs: vfs, boot: boot), kernelBoot: boot)
    do throws(StoreError) {
      try Progress.check(
        try registry.storedProgress(), noted: noted, of: path, Progress.registryRemedy)
    } catch {
      registry.abandon()
      throw error
    }
    return registry
  }

  /// The descriptor of the directory, for `syncfs`. It is open as long as this object lives.
  package var descriptor: Int32 { directory.raw }

  /// The names that stand in it.
  package static let folders = ["workspaces", "removed"]
  package static let files = [
    "relay.lock", "relay.db", "relay.db-wal", "reserve", "reserve-deletion",
  ]

  private static func makeFolders(_ path: String) throws(StoreError) {
    if try Files.makeFolder(path) { try Files.sync(Files.folder(of: path)) }
    var isNew = false
    for folder in folders {
      if try Files.makeFolder("\(path)/\(folder)") { isNew = true }
    }
    if isNew { try Files.sync(path) }
  }

  static func kernelBootID() -> String {
    let bytes = Files.contents("/proc/sys/kernel/random/boot_id")
    return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
  }

  /// There while a backup is being restored into the directory.
  package static let restoring = "restoring"

  /// Declares the data an older state of a relay that went on: a rolled-back machine, a snapshot, a
  /// backup. Hand-outs of unanswered messages may be missing. Call it before the first use of a
  /// file.
  package func beginLife(random: UInt64, at time: WallTime) throws(StoreError) {
    let life = try registry.beginLife(
      random: random,
      AuditEntry(
        at: time, actor: AuditEntry.commandLine, action: .relayRollback, target: .relay),
      noted: lock.notedProgress)
    kernelBoot = Self.kernelBootID() + "/" + life
    registry.lives(kernelBoot)
  }

  // MARK: space

  package func freeBytes() throws(StoreError) -> Int64 { try FileSystem.freeBytes(path) }

  /// Free bytes below which sends are refused.
  package var highWater: Int64 { room.plan.highWater }

  /// Runs what needs room before anybody can be asked for it: the reserves are given up for it.
  package func whileFull<Result>(
    _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    try room.whileFull(body)
  }

  // MARK: workspaces

  /// The file of a workspace. It is where its id says, so that no row has to tell.
  package func path(of id: WorkspaceID) -> String {
    "\(path)/\(Self.place(of: id))"
  }

  /// Makes the file of a new workspace, durable when this returns; the row in the registry comes
  /// afterwards. In the other order a crash would leave a row without a file, which is an error.
  package func createWorkspaceFile(
    _ id: WorkspaceID, now: WallTime
  ) throws(StoreError) -> WorkspaceFile {
    let path = path(of: id)
    let folder = Files.folder(of: path)
    _ = try Files.makeFolder(folder)
    if Files.exists(path), try isUnused(id) { try deleteWorkspaceFile(id) }
    let boot = kernelBoot
    let closed = closed
    // Of a file that was given up.
    let noted = try registry.notedProgress(of: id)
    try Database.create(
      at: path, schema: .workspace, inNewFolder: !durableFolders.contains(folder), vfs: vfs
    ) { (database) throws(StoreError) in
      let file = WorkspaceFile(id: id, database: database, kernelBoot: boot, closed: closed)
      try file.setMeta(WorkspaceFile.Meta.workspace, id.text)
      try file.setMeta(WorkspaceFile.Meta.createdAt, now.nanoseconds)
      try file.setMeta(WorkspaceFile.Meta.kernelBoot, boot)
      try file.setDigestKey()
      if noted > 0 { try file.setMeta(WorkspaceFile.Meta.progress, noted) }
    }
    durableFolders.insert(folder)
    return try openWorkspaceFile(id)
  }

  /// A file that a crash has left before its row was written: no message was ever in it.
  private func isUnused(_ id: WorkspaceID) throws(StoreError) -> Bool {
    let file = try openWorkspaceFile(id)
    defer { file.abandon() }
    return try file.hasNoMessages()
  }

  /// Deletes a workspace's file for good, durably; its row goes afterwards. Nothing of it need be
  /// there: an earlier try may have been cut off.
  package func deleteWorkspaceFile(_ id: WorkspaceID) throws(StoreError) {
    beforeUse(id)
    closed.forget(id)
    let path = path(of: id)
    let folder = Files.folder(of: path)
    guard Files.exists(folder) else { return }
    let prefix = id.text + ".db"
    for name in try Files.names(in: folder) where name.hasPrefix(prefix) && name != prefix {
      try Files.remove("\(folder)/\(name)")
    }
    try Files.remove(path)
    try Files.sync(folder)
    // What an accepted loss has set aside is of the same messages.
    let removed = "\(self.path)/removed"
    for name in try Files.names(in: removed) where name.hasPrefix(prefix) {
      try Files.remove("\(removed)/\(name)")
    }
    try Files.sync(removed)
  }

  /// Returns the files that no relay reads: copies from before a migration, and files set aside as
  /// lost.
  package static func leftovers(in path: String) throws(StoreError) -> [String] {
    var folders = ["", "/removed"]
    for name in try Files.names(in: path + "/workspaces") { folders.append("/workspaces/\(name)") }
    var found: [String] = []
    for folder in folders where Files.isFolder(path + folder) {
      for name in try Files.names(in: path + folder) where isLeftover(name) {
        found.append("\(path)\(folder)/\(name)")
      }
    }
    return found.sorted()
  }

  /// `NAME.db.v1`, `NAME.db.lost-…`.
  private static func isLeftover(_ name: String) -> Bool {
    guard let end = name.firstRange(of: ".db.")?.upperBound else { return false }
    let rest = name[end...]
    if rest.hasPrefix("lost-") { return true }
    return rest.hasPrefix("v") && Int(rest.dropFirst()) != nil
  }

  /// Opens the file of a workspace that has a row; it is never made anew here.
  package func openWorkspaceFile(_ id: WorkspaceID) throws(StoreError) -> WorkspaceFile {
    let file = try openWithoutProgress(id)
    do throws(StoreError) { try checkProgress(of: file) } catch {
      file.abandon()
      throw error
    }
    return file
  }

  /// Opens a workspace's file without checking whether its last writes are missing.
  func openWithoutProgress(_ id: WorkspaceID) throws(StoreError) -> WorkspaceFile {
    beforeUse(id)
    let path = path(of: id)
    let isOurs = try closed.take(id, path)
    if !isOurs { try refuseMissingLog(id) }
    let database = try Database.open(
      path, schema: .workspace, walIsOurs: isOurs, vfs: vfs, boot: kernelBoot)
    let file = WorkspaceFile(
      id: id, database: database, kernelBoot: kernelBoot, closed: closed)
    do throws(StoreError) { file.queueProgress = try database.queueProgress() } catch {
      file.abandon()
      throw error
    }
    return file
  }

  /// Makes a copied file one of this relay's: it must be a queue of that workspace, and its last
  /// hand-outs count as lost. It has no name yet that anybody would open it by.
  package func adopt(_ path: String, as id: WorkspaceID) throws(StoreError) {
    let database = try Database.open(path, schema: .workspace, vfs: vfs)
    do throws(StoreError) {
      let file = WorkspaceFile(
        id: id, database: database, kernelBoot: kernelBoot, closed: ClosedFiles())
      try file.forgetBoot()
      try database.checkpoint(.truncate)
      database.markSynced()
      try database.close()
    } catch {
      database.abandon()
      throw error
    }
    try Files.remove(path + "-wal")
  }

  /// Puts a closed workspace's file out of use, after its row is durably gone.
  package func removeWorkspaceFile(_ id: WorkspaceID) throws(StoreError) {
    beforeUse(id)
    closed.forget(id)
    let old = path(of: id)
    let new = "\(path)/removed/\(id.text).db"
    // The WAL first: a file without its WAL would look whole and lack what was committed last.
    if Files.exists(old + "-wal") { try Files.rename(old + "-wal", to: new + "-wal") }
    try Files.rename(old, to: new)
    try Files.sync("\(path)/removed")
    try Files.sync(Files.folder(of: old))
  }

  /// Returns the path of the workspace's file below the directory; `nil` if there is none.
  package func place(of id: WorkspaceID) -> String? {
    let places = [Self.place(of: id), "removed/\(id.text).db"]
    return places.first { Files.exists("\(path)/\($0)") }
  }

  package static func place(of id: WorkspaceID) -> String {
    "workspaces/\(id.text.prefix(2))/\(id.text).db"
  }

  /// Bytes of a workspace's file and its log.
  package func bytes(of id: WorkspaceID) -> Int64 {
    guard let place = place(of: id) else { return 0 }
    return Files.size("\(path)/\(place)") + Files.size("\(path)/\(place)-wal")
  }

  /// Every workspace's file below a directory that need not be open: where it is, and whose.
  package static func databases(
    in path: String
  ) throws(StoreError) -> [(path: String, id: WorkspaceID)] {
    var folders = try Files.names(in: path + "/workspaces").map { "workspaces/\($0)" }
    folders.append("removed")
    var found: [(path: String, id: WorkspaceID)] = []
    for folder in folders where Files.isFolder("\(path)/\(folder)") {
      for name in try Files.names(in: "\(path)/\(folder)") where name.hasSuffix(".db") {
        if let id = WorkspaceID(String(name.dropLast(3))) {
          found.append(("\(folder)/\(name)", id))
        }
      }
    }
    return found
  }

  /// Every workspace that has a file, by id.
  package func workspaceFiles() throws(StoreError) -> [WorkspaceID] {
    var ids = [WorkspaceID]()
    for folder in try Files.names(in: path + "/workspaces") {
      for name in try Files.names(in: "\(path)/workspaces/\(folder)") where name.hasSuffix(".db") {
        if let id = WorkspaceID(String(name.dropLast(3))) { ids.append(id) }
      }
    }
    return ids
  }

  /// Returns where rows and files do not match. Rows without a file are an error, and files without
  /// a row are left alone.
  package func mismatches(
    _ snapshot: RegistrySnapshot
  ) throws(StoreError) -> (rowsWithoutFile: [WorkspaceID], filesWithoutRow: [WorkspaceID]) {
    // A file that is being purged may have gone.
    try mismatches(
      rows: snapshot.workspaces.filter { $0.state != .purging }.map(\.id),
      purging: snapshot.workspaces.filter { $0.state == .purging }.map(\.id))
  }

  package func mismatches(
    rows: [WorkspaceID], purging: [WorkspaceID]
  ) throws(StoreError) -> (rowsWithoutFile: [WorkspaceID], filesWithoutRow: [WorkspaceID]) {
    let files = try workspaceFiles()
    let (known, found) = (Set(rows + purging), Set(files))
    return (rows.filter { !found.contains($0) }, files.filter { !known.contains($0) })
  }
}
