package import Relay

/// A file whose write-ahead log is not beside it.
///
/// The relay makes the log together with the file and never deletes it. So the log of a file that
/// was in use when the relay died, and is gone now, has taken with it what was written last. Two
/// cases are sound: a copy that `restore` or `import` has made and nobody has opened yet, and a file
/// that was at rest, which another program (`sqlite3`) has opened and closed since.
enum MissingLog {
  /// The boot of a file that no relay has opened since it was copied.
  static let unused = "none"

  /// Returns what is missing and how to go on without it; `nil` if nothing is missing. Nothing is
  /// written beside the file.
  ///
  /// - `life`: that of the registry; `nil` if the file is the registry.
  static func finding(
    _ path: String, life: String?, isInUse: () throws(StoreError) -> Bool
  ) throws(StoreError) -> String? {
    guard Files.exists(path), !Files.exists(path + "-wal"), try isInUse() else { return nil }
    let still = try StillFile(path)
    defer { still.close() }
    let boot = try still.database.lastBoot()
    let isCopy = boot == unused || life.map { $0 != Self.life(of: boot) } ?? false
    guard !isCopy else { return nil }
    return "its write-ahead log is missing, so that what was written last may be missing; put it "
      + "back, or go on without it: touch \(path)-wal"
  }

  static func kernel(of boot: String) -> String { String(boot.prefix { $0 != "/" }) }

  /// `BOOT/LIFE`; a relay that was never restored has no life.
  static func life(of boot: String) -> String {
    guard let slash = boot.firstIndex(of: "/") else { return "" }
    return String(boot[boot.index(after: slash)...])
  }
}

extension DataDirectory {
  func refuseMissingLog(_ id: WorkspaceID) throws(StoreError) {
    let path = path(of: id)
    let finding = try MissingLog.finding(path, life: MissingLog.life(of: kernelBoot)) {
      () throws(StoreError) in try registry.database.mayBeInUse(id)
    }
    if let finding { throw StoreError(kind: .corrupt, call: "open", path: path, message: finding) }
  }

  static func refuseMissingRegistryLog(_ path: String) throws(StoreError) {
    let finding = try MissingLog.finding(path, life: nil) { () throws(StoreError) in
      let still = try StillFile(path)
      defer { still.close() }
      return try !still.database.hasEndedWell()
    }
    if let finding { throw StoreError(kind: .corrupt, call: "open", path: path, message: finding) }
  }
}

extension Database {
  /// Returns whether, by the registry, a workspace's file may have been written since it was last
  /// closed.
  func mayBeInUse(_ id: WorkspaceID) throws(StoreError) -> Bool {
    var isAtRest = false
    try each(
      "SELECT 1 FROM pulse WHERE id = ? AND next_wake_at IS NOT NULL", [.id(id)]
    ) { _ in isAtRest = true }
    return !isAtRest
  }

  /// Returns whether the relay that used the registry last was not killed.
  func hasEndedWell() throws(StoreError) -> Bool { try meta(RegistryFile.endedWell) == "1" }
}

extension StillFile {
  /// The state of the write-ahead log beside a file, as far as it can be told.
  package enum LogState {
    case whole
    case damaged(String)
    /// A power cut may have left it so, with everything in it that was acknowledged.
    case doubtful(String)
  }

  /// Returns the state of a registry's log. `noted` is the progress that the registry had.
  package func log(noted: Int64) throws(StoreError) -> LogState {
    let progress = try RegistryFile(database: database, kernelBoot: "").storedProgress()
    if let finding = Progress.finding(progress, noted: noted, Progress.registryRemedy) {
      return .damaged(finding)
    }
    return try log(life: nil) { () throws(StoreError) in try !database.hasEndedWell() }
  }

  /// Returns the state of the log of a workspace in `registry`.
  package func log(
    of id: WorkspaceID, in registry: StillFile
  ) throws(StoreError) -> LogState {
    // A file that is being purged loses its log first.
    if try registry.isPurging(id) { return .whole }
    let noted = try RegistryFile(database: registry.database, kernelBoot: "")
      .notedProgress(of: id)
    let progress = try database.queueProgress().sum
    if let finding = Progress.finding(progress, noted: noted, Progress.remedy(id)) {
      return .damaged(finding)
    }
    return try log(life: registry.database.meta("life")) { () throws(StoreError) in
      try registry.database.mayBeInUse(id)
    }
  }

  private func log(
    life: String?, _ isInUse: () throws(StoreError) -> Bool
  ) throws(StoreError) -> LogState {
    if let missing = try MissingLog.finding(path, life: life, isInUse: isInUse) {
      return .damaged(missing)
    }
    guard let damage = try WALFormat.damage(path + "-wal") else { return .whole }
    let boot = MissingLog.kernel(of: try database.lastBoot())
    return boot == DataDirectory.kernelBootID()
      ? .damaged(damage) : .doubtful("unless a power cut has cut it short: " + damage)
  }

  /// The workspace's file may be half deleted.
  package func isPurging(_ id: WorkspaceID) throws(StoreError) -> Bool {
    var isPurging = false
    try database.each(
      "SELECT 1 FROM workspace WHERE id = ? AND state = \(Raw.purging)", [.id(id)]
    ) { _ in isPurging = true }
    return isPurging
  }
}
