package import Relay
import Wire

extension Broker {
  package func beat(_ id: WorkspaceID, _ vitals: Vitals) { directory.beat(id, vitals) }

  /// Another card for an agent that has registered already.
  package func updateCard(
    _ call: CallID, _ card: [UInt8], of id: WorkspaceID, actor: String, now: Now
  ) {
    guard var row = newestRow(id) else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    let reply = Reply(call: call, body: Array("{\"status\":\"updated\"}".utf8))
    // The same card again is no change, and leaves no trace.
    guard row.card != card else { return answer(reply, about: [id]) }
    do throws(RelayError) {
      try checkRoom(forCard: card.count + row.url.utf8.count, in: row)
    } catch {
      return replies.send(Reply(call: call, error: error))
    }
    row.card = card
    var settings = Settings(ofRow: row)
    settings.cardAt = now.wall
    row.settings = String(decoding: settings.json.bytes, as: UTF8.self)
    registryBatch.append(.updateWorkspace(row))
    let updated = row
    write(
      updated,
      RegistryChange(
        workspace: id, apply: { $0.put(updated) }, reply: reply,
        record: audit(actor, .cardUpdate, .workspace(id), now: now)))
  }
}
