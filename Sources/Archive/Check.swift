import Relay
import Store
package import Wire

/// Looks at a backup, or at a data directory that no relay uses, and changes nothing of it.
package struct Check: Sendable {
  package struct Finding: Sendable, Equatable {
    /// Below the directory that was checked.
    package var path: String
    package var what: String
    package var text: String { "\(path): \(what)" }

    package var json: JSON { ["path": .string(path), "finding": .string(what)] }
  }

  package enum Kind: String, Sendable { case backup, export, data }

  package var kind: Kind
  package private(set) var findings: [Finding] = []
  /// Worth knowing, and nothing to be mended.
  package private(set) var notes: [Finding] = []
  package private(set) var files = 0
  package private(set) var messages = 0
  private let folder: String
  private var noted: Int64 = 0
  private init(_ folder: String, _ kind: Kind) {
    self.folder = folder
    self.kind = kind
  }

  package static func run(_ folder: String) throws(ArchiveError) -> Check {
    guard Files.isFolder(folder) else { throw ArchiveError(.io, "\(folder) is no directory") }
    let isData = Files.exists(folder + "/relay.lock") && !Files.exists(folder + "/" + Manifest.name)
    return isData ? try data(folder) : try backup(folder)
  }

  // MARK: backups

  private static func backup(_ folder: String) throws(ArchiveError) -> Check {
    var check = Check(folder, .backup)
    let manifest: Manifest
    do throws(ArchiveError) { manifest = try Manifest(of: folder) } catch {
      guard error.kind == .damaged else { throw error }
      check.add(Manifest.name, error.text)
      return check
    }
    check.kind = manifest.content == .relay ? .backup : .export
    check.findings += try hashes(manifest, of: folder)
    for entry in manifest.unreadable {
      check.add(
        Manifest.name, "workspace \(entry.workspace.text) was not readable: \(entry.error)")
    }
    do throws(StoreError) { try check.look(manifest) } catch { throw ArchiveError(error) }
    return check
  }

  /// Looks into the files that are whole.
  private mutating func look(_ manifest: Manifest) throws(StoreError) {
    let damaged = Set(findings.map(\.path))
    for file in manifest.files where !damaged.contains(file.path) {
      look(file.path, file.workspace)
      if file.workspace != nil, !findings.contains(where: { $0.path == file.path }) {
        try compare(file)
      }
    }
    guard !damaged.contains("relay.db") else { return }
    let excused = manifest.purged + manifest.unreadable.map(\.workspace)
    let registry = try StillFile(folder + "/relay.db")
    defer { registry.close() }
    try compareRows(Set(manifest.files.compactMap(\.workspace)), excused: Set(excused), registry)
  }

  /// Every file that the manifest names, by its size and its hash.
  static func hashes(_ manifest: Manifest, of folder: String) throws(ArchiveError) -> [Finding] {
    var found: [Finding] = []
    for file in manifest.files {
      let path = "\(folder)/\(file.path)"
      if !Files.exists(path) {
        found.append(Finding(path: file.path, what: "it is missing"))
      } else if Files.size(path) != file.bytes {
        found.append(
          Finding(
            path: file.path, what: "it has \(Files.size(path)) bytes, and had \(file.bytes)"))
      } else if Files.isLink(path) {
        found.append(Finding(path: file.path, what: "it is a symbolic link"))
      } else if try reading({ () throws(StoreError) in try FileCopying.hash(path) }) != file.hash {
        found.append(Finding(path: file.path, what: "its SHA-256 is not that of the manifest"))
      }
      // It would be read with the file, and belongs to another.
      if Files.size(path + "-wal") > 0 {
        found.append(Finding(path: file.path, what: "there is a log beside it"))
      }
    }
    return found
  }

  private mutating func compare(_ file: Manifest.File) throws(StoreError) {
    let still = try StillFile("\(folder)/\(file.path)")
    defer { still.close() }
    let found = try still.messages()
    if found.count != file.messages || found.last != file.lastSeq {
      add(
        file.path,
        "it holds \(found.count) messages up to \(found.last), the manifest says "
          + "\(file.messages) up to \(file.lastSeq)")
    }
  }

  // MARK: data directories

  private static func data(_ folder: String) throws(ArchiveError) -> Check {
    do throws(StoreError) {
      // Held until the end: no relay starts meanwhile.
      let lock = try DirectoryLock(reading: folder)
      let check = try locked(folder, noted: lock.notedProgress)
      _ = consume lock
      return check
    } catch {
      throw ArchiveError(error)
    }
  }

  /// - `noted`: the progress that relay.db had.
  private static func locked(_ folder: String, noted: Int64) throws(StoreError) -> Check {
    var check = Check(folder, .data)
    check.noted = noted
    if Files.exists("\(folder)/\(DataDirectory.restoring)") {
      check.add(DataDirectory.restoring, "a restore into this directory was cut short")
      return check
    }
    check.look("relay.db", nil)
    let isReadable = !check.findings.contains { $0.path == "relay.db" }
    let registry = isReadable ? try StillFile(folder + "/relay.db") : nil
    defer { registry?.close() }
    var known: Set<WorkspaceID> = []
    for place in try DataDirectory.databases(in: folder) {
      known.insert(place.id)
      check.look(place.path, place.id, registry)
    }
    if let registry { try check.compareRows(known, excused: [], registry) }
    return check
  }

  private mutating func lookAtLog(
    _ still: StillFile, _ path: String, _ workspace: WorkspaceID?, _ registry: StillFile?
  ) throws(StoreError) {
    let state: StillFile.LogState
    if let workspace {
      guard let registry else { return }
      state = try still.log(of: workspace, in: registry)
    } else {
      state = try still.log(noted: noted)
    }
    switch state {
    case .whole: break
    case .damaged(let what): add(path, what)
    case .doubtful(let what): notes.append(Finding(path: path, what: what))
    }
  }

  // MARK: both

  private mutating func add(_ path: String, _ what: String) {
    findings.append(Finding(path: path, what: what))
  }

  /// Looks into one file. A file that SQLite cannot open or read is a finding like any other.
  private mutating func look(
    _ path: String, _ workspace: WorkspaceID?, _ registry: StillFile? = nil
  ) {
    files += 1
    do throws(StoreError) {
      let still = try StillFile("\(folder)/\(path)")
      defer { still.close() }
      for what in try still.findings(
        workspace == nil ? .registry : .workspace, workspace: workspace)
      {
        add(path, what)
      }
      if kind == .data { try lookAtLog(still, path, workspace, registry) }
      if workspace != nil { messages += try still.messages().count }
    } catch {
      add(path, error.description)
    }
  }

  private func isUnused(_ path: String) throws(StoreError) -> Bool {
    guard Files.exists("\(folder)/\(path)"), !findings.contains(where: { $0.path == path })
    else { return false }
    let still = try StillFile("\(folder)/\(path)")
    defer { still.close() }
    return try still.messages() == (count: 0, last: 0)
  }

  private mutating func compareRows(
    _ known: Set<WorkspaceID>, excused: Set<WorkspaceID>, _ registry: StillFile
  ) throws(StoreError) {
    let rows = Set(try registry.workspaces(after: nil, limit: .max))
    for id in rows.subtracting(known).subtracting(excused).sorted(by: { $0.text < $1.text }) {
      add("relay.db", "workspace \(id.text) is registered and has no file")
    }
    for id in known.subtracting(rows).sorted(by: { $0.text < $1.text })
    where try !registry.isPurging(id) {
      let path = DataDirectory.place(of: id)
      if kind == .data, try isUnused(path) {
        // A crash between the making of the file and of its row.
        notes.append(
          Finding(
            path: path,
            what: "no workspace is registered for this file, and no message was ever in it: it is "
              + "replaced when the id is used"))
      } else {
        add(path, "no workspace is registered for this file")
      }
    }
  }
}
