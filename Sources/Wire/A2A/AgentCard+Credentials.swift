extension AgentCard {
  /// The apiKey schemes of a card, in both spellings (0.3 §5.5.3, 1.0 §4.5).
  package static func credentialNames(ofCard card: [UInt8]) -> Set<String> {
    // All cards are looked at when the relay starts: only these members become a tree.
    guard !card.isEmpty,
      let range = JSONRanges.member("securitySchemes", of: card.indices, in: card)
        ?? JSONRanges.member("security_schemes", of: card.indices, in: card),
      let schemes = (try? JSON(parsing: card[range]))?.object
    else { return [] }
    return Set(
      schemes.compactMap { member in
        let scheme =
          member.value["apiKeySecurityScheme"] ?? member.value["api_key_security_scheme"]
          ?? member.value
        return scheme["name"]?.string?.lowercased()
      })
  }
}
