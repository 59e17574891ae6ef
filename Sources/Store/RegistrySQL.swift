/// Every statement of `relay.db`.
enum RegistrySQL: Int, CaseIterable {
  case insertOrg, insertWorkspace, updateWorkspace, deleteWorkspace, writePulse, deletePulse
  case deleteTokens, revokeTokens, insertToken, revokeToken, expireToken, touchToken, insertAudit
  case putSecret, deleteSecret, deleteSecrets, secrets
  case orgs, workspaces, tokens, audit
  case readMeta, writeMeta

  var text: String {
    switch self {
    case .insertOrg: "INSERT INTO org(id, name) VALUES(?, ?)"
    case .insertWorkspace:
      """
      INSERT INTO workspace(name, org, created_at, card, url, settings, state, removed_at,
        id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .updateWorkspace:
      """
      UPDATE workspace SET name = ?, org = ?, created_at = ?, card = ?, url = ?, settings = ?,
        state = ?, removed_at = ? WHERE id = ?
      """
    case .deleteWorkspace: "DELETE FROM workspace WHERE id = ?"
    case .writePulse:
      "INSERT OR REPLACE INTO pulse(id, next_wake_at, last_seen_at) VALUES(?, ?, ?)"
    case .deletePulse: "DELETE FROM pulse WHERE id = ?"
    case .insertToken:
      """
      INSERT INTO token(hash, workspace, org, kind, scopes, created_at, expires_at, last_used_at,
        fingerprint, revoked_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .deleteTokens: "DELETE FROM token WHERE workspace = ?"
    case .revokeTokens:
      "UPDATE token SET revoked_at = ? WHERE workspace = ? AND revoked_at IS NULL"
    case .revokeToken: "UPDATE token SET revoked_at = ? WHERE hash = ?"
    case .expireToken: "UPDATE token SET expires_at = ? WHERE hash = ?"
    case .touchToken: "UPDATE token SET last_used_at = ? WHERE hash = ?"
    case .insertAudit:
      "INSERT INTO audit(at, actor, action, target, detail) VALUES(?, ?, ?, ?, ?)"
    case .putSecret:
      """
      INSERT INTO secret(workspace, key, value, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?5)
        ON CONFLICT(workspace, key) DO UPDATE SET value = ?3, updated_at = ?5
      """
    case .deleteSecret: "DELETE FROM secret WHERE workspace = ? AND key = ?"
    case .deleteSecrets: "DELETE FROM secret WHERE workspace = ?"
    case .secrets: "SELECT workspace, key, value, created_at, updated_at FROM secret"
    case .orgs: "SELECT id, name FROM org ORDER BY id"
    case .workspaces:
      """
      SELECT workspace.id, name, org, created_at, card, url, settings, state, removed_at,
        next_wake_at, last_seen_at
      FROM workspace LEFT JOIN pulse ON pulse.id = workspace.id ORDER BY workspace.id
      """
    case .tokens:
      """
      SELECT hash, workspace, org, kind, scopes, created_at, expires_at, last_used_at, fingerprint,
        revoked_at FROM token ORDER BY created_at, hash
      """
    case .audit:
      """
      SELECT at, actor, action, target, detail FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?
      """
    case .readMeta: "SELECT value FROM meta WHERE key = ?"
    case .writeMeta: "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"
    }
  }
}
