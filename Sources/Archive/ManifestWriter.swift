import Relay
import Store
import System
import Wire

/// Writes a manifest entry by entry: of many workspaces it would be too much for one turn.
///
/// It has another name until it is whole and synced.
final class ManifestWriter {
  private let folder: String
  private var file: FileDescriptor?
  private var hash = SHA256()
  private var isFirst = true

  private var draft: String { "\(folder)/\(Manifest.name).draft" }

  init(
    in folder: String, content: Manifest.Content, relayVersion: String, startedAt: String
  ) throws(StoreError) {
    self.folder = folder
    file = try Files.create("\(folder)/\(Manifest.name).draft")
    let head: JSON = [
      "format": .number("\(Manifest.format)"), "content": .string(content.rawValue),
      "relay_version": .string(relayVersion), "started_at": .string(startedAt),
    ]
    try append(head.bytes.dropLast() + Array(",\"files\":[".utf8))
  }

  func add(_ entry: Manifest.File) throws(StoreError) {
    try append(Array((isFirst ? "\n" : ",\n").utf8) + entry.json.bytes)
    isFirst = false
  }

  /// The end of it; what is to be synced then, before `publish`.
  func end(
    unreadable: [(workspace: WorkspaceID, error: String)], purged: [WorkspaceID], endedAt: String
  ) throws(StoreError) -> [OpenFile] {
    let tail: JSON = [
      "unreadable": .array(
        unreadable.map { ["workspace": .string($0.workspace.text), "error": .string($0.error)] }),
      "purged": .array(purged.map { .string($0.text) }), "ended_at": .string(endedAt),
    ]
    try append(Array("\n],".utf8) + tail.bytes.dropFirst() + [0x0A])
    file = nil
    let sum = "\(folder)/\(Manifest.sumName)"
    let text = Array("\(hash.finalize().hex)  \(Manifest.name)\n".utf8)
    try Files.append(text, to: try Files.create(sum), sum)
    return [try OpenFile(draft), try OpenFile(sum)]
  }

  /// Gives it its name; what is to be synced then.
  func publish() throws(StoreError) -> [OpenFile] {
    try Files.rename(draft, to: "\(folder)/\(Manifest.name)")
    return [try OpenFile(folder), try OpenFile(Files.folder(of: folder))]
  }

  private func append(_ bytes: [UInt8]) throws(StoreError) {
    guard file != nil else { preconditionFailure("a manifest ends once") }
    hash.update(bytes)
    try Files.append(bytes, to: file!, draft)
  }
}

/// A file or folder that is to be synced, open as long as this lives.
final class OpenFile {
  private let file: FileDescriptor
  var raw: Int32 { file.raw }

  init(_ path: String) throws(StoreError) { file = try Files.openToSync(path) }
}
