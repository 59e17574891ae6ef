package import Relay
import System
import Wire

/// How a workspace is to be removed, and all that stands below it with it.
struct Removal {
  var purges: Bool
  var actor: String
  /// For the audit.
  var detail = ""
  var now: Now
}

/// Who removes a workspace with others below it has to say so: a subtree is removed as a whole, in
/// one transaction, or not at all.
extension Broker {
  /// - `isConfirmed`: with all that stands below it.
  package func removeWorkspace(
    _ call: CallID, _ id: WorkspaceID, purge: Bool, isConfirmed: Bool = false, actor: String,
    now: Now
  ) {
    do throws(RelayError) {
      let row = try removable(id, purge: purge)
      let children = newestChildren(of: id)
      guard children.isEmpty || isConfirmed else {
        let members = registryJSON.confirmation(children, atMost: limits.cascadeMax)
        return answer(
          Reply(call: call, error: .confirmationRequired, members: members),
          about: [id] + children)
      }
      guard let below = descendants(of: id) else {
        let detail = "more than \(limits.cascadeMax) stand below it; remove some of those first"
        return replies.send(Reply(call: call, error: .badRequest, detail: detail))
      }
      var rows: [RegisteredWorkspace] = []
      for id in below { rows.append(try removable(id, purge: purge)) }
      var removal = Removal(purges: purge, actor: actor, detail: "below \(id.text)", now: now)
      // The lowest first: a purge is answered when the last file has gone.
      for row in rows.reversed() { remove(row, removal, reply: nil) }
      removal.detail = below.isEmpty ? "" : "with \(below.count) below it"
      let json =
        purge
        ? registryJSON.purged(row, below: below.count)
        : registryJSON.removed(row, below: below.count, at: now.wall)
      remove(row, removal, reply: Reply(call: call, body: json.bytes))
    } catch {
      answer(Reply(call: call, error: error), about: [id])
    }
  }

  /// The row as it is now, if it can be removed.
  private func removable(
    _ id: WorkspaceID, purge: Bool
  ) throws(RelayError) -> RegisteredWorkspace {
    // One that is being made is not there yet: its maker has no answer.
    guard let known = directory.workspace(id) ?? directory.removed[id] else {
      throw rowsOnTheirWay[id] == nil ? .notFound : .notStored
    }
    let row = rowsOnTheirWay[id]?.row ?? known.row
    if row.state == .purging { throw .notFound }
    if isShuttingDown { throw .notStored }
    // It is coming back.
    if row.state == .active, directory.removed[id] != nil { throw .notStored }
    if row.state == .removed, !purge { throw .workspaceRemoved }
    return row
  }

  /// All that stands below it, from above to below; `nil`: too many for one turn.
  private func descendants(of id: WorkspaceID) -> [WorkspaceID]? {
    var found: [WorkspaceID] = []
    var level = newestChildren(of: id)
    while !level.isEmpty {
      found += level
      guard found.count <= limits.cascadeMax else { return nil }
      level = level.flatMap(newestChildren)
    }
    return found
  }

  /// What follows from a write that is on its way leaves with its barrier.
  func answer(_ reply: Reply, about ids: [WorkspaceID]) {
    guard ids.contains(where: { rowsOnTheirWay[$0] != nil }) else {
      return replies.send(reply)
    }
    registryChanges.append(RegistryChange(reply: reply))
  }
}
