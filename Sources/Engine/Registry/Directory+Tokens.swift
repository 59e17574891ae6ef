package import Relay

/// Tokens and keys for lists: those that are durable, with everything but the secret.
extension Directory {
  package func shownTokens(of id: WorkspaceID) -> [RegisteredToken] {
    shown(tokens.entries(of: .workspace(id)))
  }

  package func shownKeys(of org: String) -> [RegisteredToken] {
    shown(tokens.entries(of: .org(org)))
  }

  private func shown(_ entries: [TokenTable.Entry]) -> [RegisteredToken] {
    entries.filter(\.isDurable).map(\.shown)
  }
}

extension RegisteredToken {
  /// How a secret of this kind begins.
  package var prefix: String { TokenTable.Owner(self)?.form.prefix ?? "" }
}
