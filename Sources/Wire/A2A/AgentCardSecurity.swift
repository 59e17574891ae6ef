/// The security members of a card, in the spellings of both dialects (0.3 §5.5.3, 1.0 §4.5).
///
/// They are the relay's alone: it is the server that callers reach, and no credential of the
/// agent's own counts there. Official clients send the credential of one scheme only, so that one
/// of the agent's would keep them out.
enum AgentCardSecurity {
  /// Both spellings stand in one object per scheme: readers of 1.0 look for the member that names
  /// the scheme, readers of 0.3 for `type`, and each ignores the other.
  static func add(to card: inout JSON) {
    card["securitySchemes"] = [
      "relay": [
        "type": "apiKey", "in": "header", "name": "X-Relay-Key",
        "apiKeySecurityScheme": ["location": "header", "name": "X-Relay-Key"],
      ]
    ]
    card["security"] = [["relay": []]]
    card["securityRequirements"] = [["schemes": ["relay": ["list": []]]]]
  }
}
