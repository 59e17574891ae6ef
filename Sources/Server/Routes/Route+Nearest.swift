/// What a mistyped path may have meant.
extension Route {
  /// By their first words; documentation of the surface, for people who have come by mistake.
  private static let served: [(word: String, routes: String)] = [
    ("w", "/w/{id}/ and /w/{id}/.well-known/agent-card.json"),
    (
      "workspaces",
      "/workspaces, /workspaces/{id}, /workspaces/{id}/queue, /workspaces/{id}/messages, "
        + "/workspaces/{id}/messages/{message} (and cancel, redrive, replay below it), "
        + "/workspaces/{id}/ with redrive, replay, purge, pause, resume or jobs, "
        + "/workspaces/{id}/inbox, /workspaces/{id}/inbox/batch, "
        + "/workspaces/{id}/inbox/{message}/ with claim, extend, release or result, "
        + "/workspaces/{id}/tokens, /workspaces/{id}/tokens/rotate, "
        + "/workspaces/{id}/a2a, /workspaces/{id}/secrets and /workspaces/{id}/state"
    ),
    ("registry", "/registry/register, /registry/heartbeat and /registry/update-card"),
    ("a2a", "/a2a, /workspaces/{id}/a2a and /workspaces/{id}/a2a/queue/{message}"),
    ("secrets", "/secrets and /secrets/values"),
    ("messages", "/messages/{message}"),
    ("orgs", "/orgs and /org/tokens"),
    ("org", "/orgs and /org/tokens"),
    ("admin", "/admin/audit, /admin/backup, /admin/import and /admin/workspaces/{id}/tokens"),
    ("health", "/health"),
    ("ready", "/ready"),
    ("metrics", "/metrics"),
    ("admin", "/admin/status and /admin/messages/{message}"),
  ]

  /// The routes whose first word is this path's or nearly so; else those that most people need.
  static func nearest(_ path: String) -> String {
    let parts = PathSegments(path)
    let found = served.map { ($0.routes, parts.distance(to: $0.word), $0.word.utf8.count) }
      .filter { $0.1 <= $0.2 / 3 }
      .min { $0.1 < $1.1 }
    return found?.0
      ?? "/w/{id}/, /workspaces/{id}/inbox, /registry/register, /messages/{message}, /health"
  }
}
