package import Relay
import Store
import System
package import Wire

/// What operators see of tokens and keys: everything but the secret, of which nothing is kept.
extension Broker {
  static func time(_ time: WallTime?) -> JSON {
    time.map { .string(Timestamp.rfc3339(nanoseconds: $0.nanoseconds)) } ?? .null
  }

  package func tokensJSON(of id: WorkspaceID) -> JSON { list(.workspace(id)) }

  package func keysJSON(of org: String) -> JSON { list(.org(org)) }

  private func list(_ owner: TokenTable.Owner) -> JSON {
    let rows = directory.tokens.entries(of: owner).filter(\.isDurable).map(\.shown)
    return ["tokens": .array(rows.map(json)), "count": .number("\(rows.count)")]
  }

  private func json(_ token: RegisteredToken) -> JSON {
    var json: JSON = ["id": .string(token.fingerprint)]
    if token.kind == .org {
      json["org"] = .string(token.org)
      json["scopes"] = scopes(token.scopes)
    }
    json["name"] = .string(token.name)
    json["prefix"] = .string(TokenTable.Owner(token)?.form.prefix ?? "")
    json["created_at"] = Self.time(token.createdAt)
    json["created_by"] = .string(token.origin.by)
    json["last_used_at"] = Self.time(token.lastUsedAt)
    json["expires_at"] = Self.time(token.expiresAt)
    json["revoked_at"] = Self.time(token.revokedAt)
    if !token.origin.from.isEmpty { json["claimed_from"] = .string(token.origin.from) }
    if !token.origin.via.isEmpty { json["claimed_via"] = .string(token.origin.via) }
    return json
  }

  private func scopes(_ scopes: RegisteredToken.Scopes) -> JSON {
    .array(
      RegisteredToken.Scopes.names.filter { scopes.contains($0.scope) }
        .map { .string($0.name) })
  }

  func mintedJSON(_ token: NewToken, _ id: WorkspaceID) -> JSON {
    [
      "auth_token": .string(token.secret), "workspace_id": .string(id.text),
      "id": .string(token.row.fingerprint), "expires_at": Self.time(token.row.expiresAt),
      "message": "shown once: only its hash is kept",
    ]
  }

  func mintedJSON(_ key: NewToken) -> JSON {
    var json = json(key.row)
    json["auth_token"] = .string(key.secret)
    json["message"] = "shown once: only its hash is kept"
    return json
  }

  // MARK: audit

  /// The newest lines below one, newest first.
  package func showAudit(_ call: CallID, before id: Int64, limit: Int) {
    do {
      // One more tells whether there are any left.
      var entries = try data.registry.audit(before: id, limit: limit + 1)
      let hasMore = entries.count > limit
      if hasMore { entries.removeLast() }
      var json: JSON = ["entries": .array(entries.map(line))]
      if hasMore, let last = entries.last { json["next"] = .string("\(last.id)") }
      // Lines may be shown that no barrier has covered: the answer leaves with the next one.
      registryChanges.append(RegistryChange(reply: Reply(call: call, body: json.bytes)))
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
      replies.send(Reply(call: call, error: .workspaceUnavailable))
    }
  }

  private func line(_ entry: AuditEntry) -> JSON {
    [
      "id": .number("\(entry.id)"), "at": Self.time(entry.at), "actor": .string(entry.actor),
      "action": .string(entry.action), "target": .string(entry.target),
      "detail": .string(entry.detail),
    ]
  }
}

extension RegisteredToken.Scopes {
  /// As they are written in requests and lists.
  package static let names: [(name: String, scope: RegisteredToken.Scopes)] = [
    ("admin", .admin), ("send", .send), ("read", .read),
  ]
}
