package import Relay
import System
package import Wire

/// What an operator changes of a workspace; what is `nil` stays.
package struct WorkspaceChange {
  package var name: String?
  /// `.some(nil)`: it becomes a root.
  package var parent: WorkspaceID??
  /// Members of `Settings`, checked already.
  package var settings: JSON

  package init(name: String?, parent: WorkspaceID??, settings: JSON) {
    self.name = name
    self.parent = parent
    self.settings = settings
  }
}

extension Broker {
  package func changeWorkspace(
    _ call: CallID, _ id: WorkspaceID, _ change: WorkspaceChange, actor: String, now: Now
  ) {
    // What is on its way may have changed other members of it.
    guard var row = newestRow(id) else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    if let parent = change.parent {
      if let parent, let misfit = misfit(of: row, below: parent) {
        return replies.send(Reply(call: call, error: .badRequest, detail: misfit))
      }
      row.parent = parent
    }
    var settings = Settings(ofRow: row)
    let before = settings.callers
    do throws(BadSetting) { try settings.change(change.settings) } catch {
      return replies.send(Reply(call: call, error: .badRequest, detail: error.text))
    }
    let isRenamed = change.name != nil && change.name != row.name
    if let name = change.name { row.name = name }
    // Both show in the card, whose readers ask whether it is newer.
    if isRenamed || settings.callers != before { settings.cardAt = now.wall }
    row.settings = String(decoding: settings.json.bytes, as: UTF8.self)
    let changed = row
    registryBatch.append(.updateWorkspace(changed))
    write(
      changed,
      RegistryChange(
        workspace: id, apply: { $0.put(changed) },
        reply: Reply(
          call: call,
          body: registryJSON.workspace(
            changed, lastSeen: directory.workspace(id)?.lastSeen
          ).bytes),
        record: audit(
          actor, .workspaceChange, .workspace(id), words(change), now: now)))
  }

  private func words(_ change: WorkspaceChange) -> String {
    var words = (change.settings.object ?? []).map {
      "\($0.key)=\(String(decoding: $0.value.bytes, as: UTF8.self))"
    }
    if let name = change.name { words.append("name=\(name)") }
    if let parent = change.parent { words.append("parent_id=\(parent?.text ?? "null")") }
    return words.joined(separator: " ")
  }

  // MARK: the hierarchy

  /// As callers meet it: by what is durable.
  package var hierarchy: Hierarchy {
    Hierarchy(depthMax: limits.hierarchyDepthMax) { [unowned self] id in
      directory.workspace(id)?.row.parent
    }
  }

  /// Why a workspace may not stand below another, in words for the operator; `nil` if it may. What
  /// is on its way counts: two changes in one turn must not make a circle together.
  func misfit(of row: RegisteredWorkspace, below parent: WorkspaceID) -> String? {
    guard let upper = newestRow(parent), upper.org == row.org, upper.state == .active else {
      return "parent_id: there is no such workspace in this org"
    }
    let hierarchy = Hierarchy(depthMax: limits.hierarchyDepthMax) { [unowned self] id in
      newestRow(id)?.parent
    }
    switch hierarchy.misfit(of: row.id, below: parent, children: newestChildren) {
    case nil: return nil
    case .cycle: return "parent_id: the workspace would stand below itself"
    case .tooDeep:
      return "parent_id: the hierarchy would be deeper than \(limits.hierarchyDepthMax)"
    }
  }

  /// Those right below it once all that is on its way is durable: not those that are being removed.
  func newestChildren(of id: WorkspaceID) -> [WorkspaceID] {
    let coming = rowsOnTheirWay.values.lazy.map(\.row).filter { [directory] row in
      row.parent == id && row.state == .active && directory.workspace(row.id)?.row.parent != id
    }
    return directory.children(of: id).filter { newestRow($0)?.parent == id } + coming.map(\.id)
  }
}
