/// Every statement of `relay.db`.
enum RegistrySQL: Int, CaseIterable {
  case insertOrg, insertWorkspace, updateWorkspace, deleteWorkspace, writePulse, deletePulse
  case deleteTokens, revokeTokens, insertToken, revokeToken, expireToken, touchToken, deleteToken
  case insertAudit, trimAudit
  case putSecret, deleteSecret, deleteSecrets, secrets
  case orgs, workspaces, depths, tokens, audit
  case readMeta, writeMeta

  var text: String {
    switch self {
    case .insertOrg: "INSERT INTO org(id, name) VALUES(?, ?)"
    case .insertWorkspace:
      """
      INSERT INTO workspace(name, org, created_at, card, url, settings, state, removed_at,
        parent, claimed_at, claimed_by, claimed_from, claimed_via, id)
        VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .updateWorkspace:
      """
      UPDATE workspace SET name = ?, org = ?, created_at = ?, card = ?, url = ?, settings = ?,
        state = ?, removed_at = ?, parent = ?, claimed_at = ?, claimed_by = ?, claimed_from = ?,
        claimed_via = ? WHERE id = ?
      """
    case .deleteWorkspace: "DELETE FROM workspace WHERE id = ?"
    case .writePulse:
      """
      INSERT OR REPLACE INTO pulse(id, next_wake_at, last_seen_at, unanswered, in_flight,
        unreceived, dead, interrupted, bytes, oldest_unanswered_at, oldest_unreceived_at)
        VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .deletePulse: "DELETE FROM pulse WHERE id = ?"
    case .insertToken:
      """
      INSERT INTO token(hash, workspace, org, kind, scopes, created_at, expires_at, last_used_at,
        fingerprint, revoked_at, name, made_by, made_from, made_via)
        VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    // A live one has no end, and goes whatever is kept.
    case .deleteTokens:
      "DELETE FROM token WHERE workspace = ?1 AND (revoked_at IS NULL OR revoked_at IS NOT ?2)"
    case .revokeTokens:
      "UPDATE token SET revoked_at = ? WHERE workspace = ? AND revoked_at IS NULL"
    case .revokeToken: "UPDATE token SET revoked_at = ? WHERE hash = ?"
    case .expireToken: "UPDATE token SET expires_at = ? WHERE hash = ?"
    case .touchToken: "UPDATE token SET last_used_at = ? WHERE hash = ?"
    case .deleteToken: "DELETE FROM token WHERE hash = ?"
    case .insertAudit:
      "INSERT INTO audit(at, actor, action, target, detail) VALUES(?, ?, ?, ?, ?)"
    // By its key only: it costs the same at every size. The ids have no gaps, so that they count.
    case .trimAudit:
      """
      DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?1)
        AND (id <= (SELECT max(id) FROM audit) - ?2 OR at < ?3)
        AND id < (SELECT max(id) FROM audit)
      """
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
        next_wake_at, last_seen_at, parent, claimed_at, claimed_by, claimed_from, claimed_via
      FROM workspace LEFT JOIN pulse ON pulse.id = workspace.id ORDER BY created_at, workspace.id
      """
    // What was written into a file since makes what is noted of it worth nothing.
    case .depths:
      """
      SELECT id, unanswered, in_flight, unreceived, dead, interrupted, bytes, oldest_unanswered_at,
        oldest_unreceived_at
      FROM pulse WHERE next_wake_at IS NOT NULL AND unanswered IS NOT NULL
      """
    case .tokens:
      """
      SELECT hash, workspace, org, kind, scopes, created_at, expires_at, last_used_at, fingerprint,
        revoked_at, name, made_by, made_from, made_via FROM token ORDER BY created_at, hash
      """
    case .audit:
      """
      SELECT id, at, actor, action, target, detail FROM audit WHERE id < ?
        ORDER BY id DESC LIMIT ?
      """
    case .readMeta: "SELECT value FROM meta WHERE key = ?"
    case .writeMeta: "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"
    }
  }
}
