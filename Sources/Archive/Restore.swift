package import Relay
import Store
import System
import Wire

/// A backup made a data directory again.
package enum Restore {
  package struct Report: Sendable {
    package var manifest: Manifest
  }

  /// Verifies all of the backup, then copies it to a directory that does not exist or is empty.
  ///
  /// Until the end everything lies below `restoring/`, which keeps a relay from starting there: what
  /// a crash leaves is no data directory. The registry gets its place last.
  ///
  /// - `random`: names the new life (`RegistryFile.beginLife`).
  package static func restore(
    _ backup: String, to data: String, random: UInt64, at time: WallTime
  ) throws(ArchiveError) -> Report {
    let manifest = try Manifest(of: backup)
    guard manifest.content == .relay else {
      throw ArchiveError(
        .refused, "\(backup) holds one workspace of a relay: import it into a relay")
    }
    try checkTarget(data)
    try reading { () throws(StoreError) in try Files.checkLength(of: data, limits: Limits()) }
    let findings = try Check.hashes(manifest, of: backup)
    guard findings.isEmpty else {
      throw ArchiveError(.damaged, findings.map(\.text).joined(separator: "\n"))
    }
    do throws(StoreError) {
      let line = AuditEntry(
        at: time, actor: AuditEntry.commandLine, action: .relayRestore, target: .relay,
        detail: backup)
      try copy(manifest, backup, data, random, line)
    } catch {
      throw ArchiveError(error)
    }
    return Report(manifest: manifest)
  }

  private static func checkTarget(_ data: String) throws(ArchiveError) {
    guard Files.exists(data) else { return }
    guard Files.isFolder(data) else { throw ArchiveError(.refused, "\(data) is no directory") }
    let names = try reading { () throws(StoreError) in try Files.names(in: data) }
    // A new file system of ext4 has one entry of its own.
    guard names.allSatisfy({ $0 == "lost+found" }) else {
      throw ArchiveError(.refused, "\(data) is not empty: restore into an empty or a new directory")
    }
  }

  private static func copy(
    _ manifest: Manifest, _ backup: String, _ data: String, _ random: UInt64,
    _ line: AuditEntry
  ) throws(StoreError) {
    let room = manifest.files.reduce(0) { $0 + $1.bytes }
    if try Files.makeFolder(data) { try Files.sync(Files.folder(of: data)) }
    let free = try Files.freeBytes(data)
    guard free > room else {
      throw StoreError(
        kind: .full, call: "restore", path: data, message: "\(room) bytes are needed, \(free) free")
    }
    let staging = "\(data)/\(DataDirectory.restoring)"
    _ = try Files.makeFolder(staging)
    try Files.sync(data)
    var folders: Set = [staging + "/workspaces", staging + "/removed"]
    for folder in folders { _ = try Files.makeFolder(folder) }
    for file in manifest.files {
      let path = "\(staging)/\(file.path)"
      let folder = Files.folder(of: path)
      if folder != staging, folders.insert(folder).inserted { _ = try Files.makeFolder(folder) }
      guard try FileCopying.copy("\(backup)/\(file.path)", to: path) == file.hash else {
        throw StoreError(
          kind: .corrupt, call: "restore", path: path,
          message: "the copy differs from the original")
      }
    }
    try RegistryFile.restore(
      at: staging + "/relay.db", random: random, without: manifest.purged, line)
    for folder in folders { try Files.sync(folder) }
    try Files.sync(staging)
    for name in ["removed", "workspaces", "relay.db"] {
      try Files.rename("\(staging)/\(name)", to: "\(data)/\(name)")
    }
    // Says that this is a data directory.
    _ = try Files.create("\(data)/relay.lock")
    // Its log is empty; the relay makes it anew.
    for suffix in ["-wal", "-shm"] { try Files.remove(staging + "/relay.db" + suffix) }
    try Files.sync(data)
    try Files.removeFolder(staging)
    try Files.sync(data)
  }
}

enum FileCopying {
  /// Copies a file that nobody uses to a new one, durable but for its name; hands back the hash of
  /// what was written.
  static func copy(_ old: String, to new: String) throws(StoreError) -> String {
    var hash = SHA256()
    let file = try Files.create(new)
    var offset: Int64 = 0
    while true {
      let slice = try Files.slice(of: old, at: offset, count: Limits.copyBytesMax)
      try Files.append(slice, to: file, new)
      hash.update(slice)
      offset += Int64(slice.count)
      if slice.count < Limits.copyBytesMax { break }
    }
    try Files.sync(new)
    return hash.finalize().hex
  }

  static func hash(_ path: String) throws(StoreError) -> String {
    var hash = SHA256()
    var offset: Int64 = 0
    while true {
      let slice = try Files.slice(of: path, at: offset, count: Limits.copyBytesMax)
      hash.update(slice)
      offset += Int64(slice.count)
      if slice.count < Limits.copyBytesMax { return hash.finalize().hex }
    }
  }
}
