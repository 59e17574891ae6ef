package import Engine
package import Relay
package import Wire

/// Renders tokens, keys, orgs, secrets and the audit. Tokens and keys show everything but the
/// secret, which the relay does not keep.
extension RegistryRenderer {
  package func tokens(of id: WorkspaceID, _ directory: borrowing Directory) -> JSON {
    list(directory.shownTokens(of: id))
  }

  package func keys(of org: String, _ directory: borrowing Directory) -> JSON {
    list(directory.shownKeys(of: org))
  }

  private func list(_ rows: [RegisteredToken]) -> JSON {
    ["tokens": .array(rows.map(token)), "count": .number("\(rows.count)")]
  }

  private func token(_ token: RegisteredToken) -> JSON {
    var json: JSON = ["id": .string(token.fingerprint)]
    if token.kind == .org {
      json["org"] = .string(token.org)
      json["scopes"] = scopes(token.scopes)
    }
    json["name"] = .string(token.name)
    json["prefix"] = .string(token.prefix)
    json["created_at"] = .time(token.createdAt)
    json["created_by"] = .string(token.origin.by)
    json["last_used_at"] = .time(token.lastUsedAt)
    json["expires_at"] = .time(token.expiresAt)
    json["revoked_at"] = .time(token.revokedAt)
    if !token.origin.from.isEmpty { json["claimed_from"] = .string(token.origin.from) }
    if !token.origin.via.isEmpty { json["claimed_via"] = .string(token.origin.via) }
    return json
  }

  private func scopes(_ scopes: RegisteredToken.Scopes) -> JSON {
    .array(
      RegisteredToken.Scopes.names.filter { scopes.contains($0.scope) }
        .map { .string($0.name) })
  }

  func minted(_ token: RegisteredToken, _ id: WorkspaceID, _ secret: String) -> JSON {
    [
      "auth_token": .string(secret), "workspace_id": .string(id.text),
      "id": .string(token.fingerprint), "expires_at": .time(token.expiresAt),
      "message": "shown once: only its hash is kept",
    ]
  }

  func minted(_ key: RegisteredToken, _ secret: String) -> JSON {
    var json = token(key)
    json["auth_token"] = .string(secret)
    json["message"] = "shown once: only its hash is kept"
    return json
  }

  // MARK: orgs

  func org(_ org: RegisteredOrg) -> JSON { ["id": .string(org.id), "name": .string(org.name)] }

  package func orgs(_ directory: borrowing Directory) -> JSON {
    let orgs = directory.orgs.values.sorted { $0.id < $1.id }
    return ["orgs": .array(orgs.map(org)), "count": .number("\(orgs.count)")]
  }

  // MARK: secrets

  /// Returns the names of a workspace's secrets, without values, for operators.
  package func secretList(_ secrets: [String: RegisteredSecret]) -> JSON {
    .array(
      sorted(secrets).map { secret in
        [
          "key": .string(secret.key), "has_value": true, "scope": "workspace",
          "created_at": .time(secret.createdAt), "updated_at": .time(secret.updatedAt),
        ]
      })
  }

  /// Returns the names and values of a workspace's secrets, for its agent.
  func secretValues(_ secrets: [String: RegisteredSecret], isWrapped: Bool) -> JSON {
    let values = JSON.object(sorted(secrets).map { JSON.Member($0.key, .string($0.value)) })
    return isWrapped ? ["secrets": values] : values
  }

  private func sorted(_ secrets: [String: RegisteredSecret]) -> [RegisteredSecret] {
    secrets.values.sorted { $0.key < $1.key }
  }

  // MARK: audit

  /// Returns a page of the audit, newest line first.
  ///
  /// - `hasMore`: the audit has older lines than those of the page.
  func audit(_ entries: [AuditEntry], hasMore: Bool) -> JSON {
    var json: JSON = ["entries": .array(entries.map(line))]
    if hasMore, let last = entries.last { json["next"] = .string("\(last.id)") }
    return json
  }

  private func line(_ entry: AuditEntry) -> JSON {
    [
      "id": .number("\(entry.id)"), "at": .time(entry.at), "actor": .string(entry.actor),
      "action": .string(entry.action), "target": .string(entry.target),
      "detail": .string(entry.detail),
    ]
  }
}
