package import Relay

/// Lists durable tokens and keys, with everything but the secret.
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
  /// The first characters of a secret of this kind.
  package var prefix: String { TokenTable.Owner(self)?.form.prefix ?? "" }
}
