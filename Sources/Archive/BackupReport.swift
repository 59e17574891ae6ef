package import Relay
package import Wire

/// The content of a backup, its progress, and how it ended.
package struct BackupReport {
  package enum State: String, Sendable { case running, done, failed }

  package let content: BackupJob.Content
  package let folder: String
  package let startedAt: WallTime
  package private(set) var endedAt: WallTime?
  package private(set) var state = State.running
  package private(set) var error: ArchiveError?
  /// The number of files that the backup will have, as far as is known: the registry's is first.
  package private(set) var files = 1
  package private(set) var filesDone = 0
  package private(set) var bytes: Int64 = 0
  package private(set) var messages = 0
  /// The workspaces that could not be read. They are not in the backup, and the others are.
  package private(set) var unreadable: [(workspace: WorkspaceID, error: String)] = []
  /// The workspaces that were purged before their turn came.
  private(set) var purged: [WorkspaceID] = []

  init(_ content: BackupJob.Content, folder: String, startedAt: WallTime) {
    self.content = content
    self.folder = folder
    self.startedAt = startedAt
  }

  /// The workspaces to be copied are known: each has one file beside the registry's.
  mutating func expect(workspaces count: Int) { files = 1 + count }

  mutating func finished(_ file: Manifest.File) {
    filesDone += 1
    bytes += file.bytes
    messages += file.messages
  }

  /// A workspace is left out: it could not be read, or without an error it was purged.
  mutating func skipped(_ id: WorkspaceID, _ error: String?) {
    if let error { unreadable.append((id, error)) } else { purged.append(id) }
  }

  mutating func ended(_ error: ArchiveError?, at now: WallTime) {
    precondition(state == .running, "a backup ends once")
    self.error = error
    state = error == nil ? .done : .failed
    endedAt = now
  }

  /// The report as members of a JSON object, for programs.
  package var members: [JSON.Member] {
    var members = [
      JSON.Member("state", .string(state.rawValue)), JSON.Member("dir", .string(folder)),
      JSON.Member("files_done", .number("\(filesDone)")), JSON.Member("files", .number("\(files)")),
      JSON.Member("bytes", .number("\(bytes)")), JSON.Member("messages", .number("\(messages)")),
      JSON.Member("unreadable", .array(unreadable.map { .string($0.workspace.text) })),
      JSON.Member(
        "started_at", .string(Timestamp.rfc3339(nanoseconds: startedAt.nanoseconds))),
    ]
    if case .workspace(let id) = content {
      members.append(JSON.Member("workspace", .string(id.text)))
    }
    if let endedAt {
      let text = Timestamp.rfc3339(nanoseconds: endedAt.nanoseconds)
      members.append(JSON.Member("ended_at", .string(text)))
    }
    if let error { members.append(JSON.Member("error", .string(error.text))) }
    return members
  }
}
