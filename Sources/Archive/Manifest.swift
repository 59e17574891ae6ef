package import Relay
import Store
import Wire

/// The content of a backup: the file `manifest.json`, which is written last. A directory without it
/// is no backup. Its own SHA-256 stands in `manifest.json.sha256`, in the form of `sha256sum`.
package struct Manifest: Sendable, Equatable {
  package static let name = "manifest.json"
  package static let sumName = "manifest.json.sha256"
  package static let format = 1
  /// The scope of a backup: a whole relay, or one workspace on its way to another.
  package enum Content: String, Sendable { case relay, workspace }

  package struct File: Sendable, Equatable {
    /// Below the backup's directory.
    package var path: String
    package var bytes: Int64
    /// SHA-256 in hexadecimal digits.
    package var hash: String
    /// `nil` for the registry.
    package var workspace: WorkspaceID?
    package var messages = 0
    package var lastSeq: Seq = 0
  }

  package var content: Content
  package var relayVersion: String
  package var startedAt: String
  package var endedAt: String
  package var files: [File]
  /// Workspaces that could not be read, and why: they are registered and have no file here.
  package var unreadable: [(workspace: WorkspaceID, error: String)]
  /// Workspaces that were purged while the backup ran: they are registered and have no file here.
  package var purged: [WorkspaceID]

  package static func == (left: Manifest, right: Manifest) -> Bool {
    left.content == right.content && left.relayVersion == right.relayVersion
      && left.startedAt == right.startedAt && left.endedAt == right.endedAt
      && left.files == right.files && left.purged == right.purged
      && left.unreadable.map(\.workspace) == right.unreadable.map(\.workspace)
      && left.unreadable.map(\.error) == right.unreadable.map(\.error)
  }

  package var messages: Int { files.reduce(0) { $0 + $1.messages } }

  // MARK: text

  /// Reads the manifest of a backup and holds it against its sum. It is read at once: a relay at
  /// work reads none of more `bytesMax` than one workspace's has.
  package init(
    of folder: String, bytesMax: Int = Limits.manifestBytesMax
  ) throws(ArchiveError) {
    let path = folder + "/" + Self.name
    guard Files.exists(path) else {
      throw ArchiveError(
        .damaged, "\(folder) has no \(Self.name): it is no backup, or one that did not end")
    }
    guard Files.size(path) < Int64(bytesMax) else {
      throw ArchiveError(
        .damaged,
        "\(path) has \(Files.size(path)) bytes; what is looked for here has less than \(bytesMax)")
    }
    let bytes = try reading { () throws(StoreError) in try Files.whole(path, most: bytesMax) }
    let sum = try reading { () throws(StoreError) in
      try Files.whole(folder + "/" + Self.sumName, most: 1024)
    }
    guard sum == Self.sum(of: bytes) else {
      throw ArchiveError(.damaged, "\(path) is not what its sum in \(Self.sumName) says")
    }
    // The entry of a file has seven members and elements in more than 200 bytes.
    guard let json = try? JSON(parsing: bytes, valuesMax: bytesMax / 32),
      let manifest = Manifest(json)
    else {
      throw ArchiveError(.damaged, "\(path) is no manifest that this relay can read")
    }
    self = manifest
  }

  static func sum(of bytes: [UInt8]) -> [UInt8] {
    Array("\(SHA256.hash(bytes).hex)  \(Manifest.name)\n".utf8)
  }

  private init?(_ json: JSON) {
    guard json["format"]?.int == Self.format,
      let content = json["content"]?.string.flatMap(Content.init(rawValue:)),
      let files = json["files"]?.array, let unreadable = json["unreadable"]?.array,
      let purged = json["purged"]?.array
    else { return nil }
    self.content = content
    relayVersion = json["relay_version"]?.string ?? ""
    startedAt = json["started_at"]?.string ?? ""
    endedAt = json["ended_at"]?.string ?? ""
    self.files = files.compactMap(File.init)
    self.unreadable = unreadable.compactMap { entry in
      guard let id = entry["workspace"]?.string.flatMap({ WorkspaceID($0) }) else { return nil }
      return (id, entry["error"]?.string ?? "")
    }
    self.purged = purged.compactMap { $0.string.flatMap { WorkspaceID($0) } }
    // Half a list is no list.
    guard self.files.count == files.count, self.unreadable.count == unreadable.count,
      self.purged.count == purged.count
    else { return nil }
  }
}

extension Manifest.File {
  /// A path that leads out of the backup is none of a backup's.
  init?(_ json: JSON) {
    guard let path = json["path"]?.string, let bytes = json["bytes"]?.int,
      let hash = json["sha256"]?.string
    else { return nil }
    guard 0..<1 << 50 ~= bytes else { return nil }
    self.init(path: path, bytes: Int64(bytes), hash: hash)
    guard let text = json["workspace"]?.string else {
      if path != "relay.db" { return nil }
      return
    }
    guard let id = WorkspaceID(text),
      path == DataDirectory.place(of: id) || path == "removed/\(id.text).db",
      let messages = json["messages"]?.int, let last = json["last_seq"]?.int,
      0..<1 << 42 ~= messages, 0..<1 << 42 ~= last
    else { return nil }
    workspace = id
    self.messages = messages
    lastSeq = Seq(last)
  }

  var json: JSON {
    var json: JSON = [
      "path": .string(path), "bytes": .number("\(bytes)"), "sha256": .string(hash),
    ]
    if let workspace {
      json["workspace"] = .string(workspace.text)
      json["messages"] = .number("\(messages)")
      json["last_seq"] = .number("\(lastSeq)")
    }
    return json
  }
}
