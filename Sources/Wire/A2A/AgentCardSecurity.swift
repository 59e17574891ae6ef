/// The security members of a card, in the spellings of both dialects (0.3 §5.5.3, 1.0 §4.5).
///
/// Both spellings stand in one object per scheme: readers of 1.0 look for the member that names
/// the scheme, readers of 0.3 for `type`, and each ignores the other.
enum AgentCardSecurity {
  /// Keeps the agent's own security; without any, a relay that asks for a key says so.
  static func add(to card: inout JSON, from own: JSON, relayKeyScheme: Bool) {
    let schemes = (own["securitySchemes"]?.object ?? []).filter { $0.value.object != nil }
    let legacy = requirements(own["security"])
    let current = requirements(own["securityRequirements"])
    guard schemes.isEmpty && legacy.isEmpty && current.isEmpty else {
      if !schemes.isEmpty {
        card["securitySchemes"] = .object(
          schemes.map { JSON.Member($0.key, inBothSpellings($0.value)) })
      }
      let in03 = legacy.isEmpty ? current.map(to03) : legacy
      let in10 = current.isEmpty ? legacy.map(to10) : current
      if !in03.isEmpty { card["security"] = .array(in03) }
      if !in10.isEmpty { card["securityRequirements"] = .array(in10) }
      return
    }
    guard relayKeyScheme else { return }
    card["securitySchemes"] = [
      "relay": [
        "type": "apiKey", "in": "header", "name": "X-Relay-Key",
        "apiKeySecurityScheme": ["location": "header", "name": "X-Relay-Key"],
      ]
    ]
    card["security"] = [["relay": []]]
    card["securityRequirements"] = [["schemes": ["relay": ["list": []]]]]
  }

  private static func requirements(_ value: JSON?) -> [JSON] {
    (value?.array ?? []).filter { $0.object != nil }
  }

  /// `{"schemes":{"a":{"list":["x"]}}}` as `{"a":["x"]}`.
  private static func to03(_ requirement: JSON) -> JSON {
    .object(
      (requirement["schemes"]?.object ?? []).map {
        JSON.Member($0.key, $0.value["list"]?.array.map { .array($0) } ?? [])
      })
  }

  private static func to10(_ requirement: JSON) -> JSON {
    let schemes = (requirement.object ?? []).map { member in
      JSON.Member(member.key, ["list": .array(member.value.array ?? [])])
    }
    return ["schemes": .object(schemes)]
  }

  /// The 0.3 type and the 1.0 member of each scheme.
  private static let kinds = [
    ("apiKey", "apiKeySecurityScheme"), ("http", "httpAuthSecurityScheme"),
    ("oauth2", "oauth2SecurityScheme"), ("openIdConnect", "openIdConnectSecurityScheme"),
    ("mutualTLS", "mtlsSecurityScheme"),
  ]

  private static func inBothSpellings(_ scheme: JSON) -> JSON {
    var both = scheme
    for (type, member) in kinds {
      if scheme["type"]?.string == type && scheme[member] == nil {
        both[member] = renamed(scheme, ["in": "location"], dropping: ["type"])
      } else if let inner = scheme[member], scheme["type"] == nil {
        both["type"] = .string(type)
        both.set(renamed(inner, ["location": "in"], dropping: []).object ?? [])
      }
    }
    return both
  }

  private static func renamed(
    _ object: JSON, _ names: [String: String], dropping: Set<String>
  ) -> JSON {
    .object(
      (object.object ?? []).filter { !dropping.contains($0.key) }
        .map { JSON.Member(names[$0.key] ?? $0.key, $0.value) })
  }
}
