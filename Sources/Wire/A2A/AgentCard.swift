/// The card of an agent whose A2A server is the relay: complete for 0.3 (§5.5) and 1.0 (§4.4.1) in
/// one document, made from whatever the agent registered.
package enum AgentCard {
  package static let bytesMax = 256 * 1024

  /// Refuses a card that no reader could read, and one that would give its readers a password; the
  /// error names the member.
  package static func check(_ card: JSON) throws(AgentCardError) {
    _ = try AgentCardShape.read(card)
    if let place = URLUser.place(in: card) {
      throw AgentCardError(
        "\(place) is a URL with a user name or password in it; cards are public, so write it "
          + "without")
    }
    guard card.bytes.count <= bytesMax else {
      throw AgentCardError("the card must be at most \(bytesMax / 1024) KiB")
    }
  }

  /// Makes the card. `base` is the public URL of the workspace, ending in a slash.
  ///
  /// Members that say where and how the agent is reached, and with which credential, are the
  /// relay's; everything else that was registered is kept, unknown members too, unless a reader
  /// could not parse it: the card may have been registered before `check` was what it is.
  /// `signatures` go: they are not true of a changed card (1.0 §8.4).
  package static func synthesize(
    registered bytes: [UInt8], workspaceName: String, base: String, relayKeyScheme: Bool,
    relayVersion: String
  ) -> [UInt8] {
    // Its values were counted when it came.
    let given = (try? JSON(parsing: bytes, valuesMax: .max)) ?? .object([])
    // Registration refuses passwords in URLs; a card that an older build has stored may have some.
    let own = URLUser.removed(from: (try? AgentCardShape.read(given)) ?? given)
    let ownName = own["name"]?.string ?? ""
    let name = ownName.isEmpty ? workspaceName : ownName
    var card: JSON = [
      "protocolVersion": "0.3.0",
      "name": .string(name),
      "description": .string(own["description"]?.string ?? name),
      "version": .string(own["version"]?.string ?? relayVersion),
      "url": .string(base),
      "preferredTransport": "JSONRPC",
      "supportedInterfaces": [
        ["url": .string(base), "protocolBinding": "JSONRPC", "protocolVersion": "1.0"],
        ["url": .string(base), "protocolBinding": "JSONRPC", "protocolVersion": "0.3"],
      ],
      "capabilities": capabilities(own["capabilities"]),
      "defaultInputModes": modes(own["defaultInputModes"]),
      "defaultOutputModes": modes(own["defaultOutputModes"]),
      "skills": AgentCardSkills.complete(own["skills"]),
      "supportsAuthenticatedExtendedCard": false,
    ]
    if relayKeyScheme { AgentCardSecurity.add(to: &card) }
    keep(own.object ?? [], in: &card)
    return card.bytes
  }

  /// The members of the card that the relay sets or completes itself.
  private static let decided: Set<String> = [
    "protocolVersion", "name", "description", "version", "url", "preferredTransport",
    "supportedInterfaces", "additionalInterfaces", "capabilities", "defaultInputModes",
    "defaultOutputModes", "skills", "supportsAuthenticatedExtendedCard", "signatures",
    "security", "securitySchemes", "securityRequirements", "authentication",
  ]

  private static func keep(_ members: [JSON.Member], in card: inout JSON) {
    card.set(
      members.lazy.filter { !decided.contains($0.key) && !$0.value.isNull }.compactMap { member in
        switch member.key {
        case "documentationUrl", "iconUrl": member.value.string == nil ? nil : member
        case "provider": provider(member.value).map { JSON.Member("provider", $0) }
        default: member
        }
      })
  }

  private static func provider(_ value: JSON) -> JSON? {
    guard value["organization"]?.string != nil else { return nil }
    var provider = value
    if value["url"]?.string == nil { provider["url"] = "" }
    return provider
  }

  private static func capabilities(_ registered: JSON?) -> JSON {
    var capabilities = registered?.object == nil ? .object([]) : registered ?? .object([])
    let names = ["streaming", "pushNotifications", "stateTransitionHistory", "extendedAgentCard"]
    for name in names { capabilities[name] = false }
    let extensions = capabilities["extensions"]?.array
    if extensions?.allSatisfy({ $0["uri"]?.string != nil }) != true {
      capabilities["extensions"] = nil
    }
    return capabilities
  }

  private static func modes(_ registered: JSON?) -> JSON {
    guard let list = registered?.array, !list.isEmpty,
      list.allSatisfy({ $0.string != nil })
    else { return ["text/plain", "application/json"] }
    return .array(list)
  }
}

/// The reason why a registered card was refused.
package struct AgentCardError: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Skills with all members that both dialects require (0.3 §5.5.4, 1.0 §4.4.5).
enum AgentCardSkills {
  static func complete(_ registered: JSON?) -> JSON {
    let skills = (registered?.array ?? []).enumerated().compactMap { index, skill in
      complete(skill, number: index + 1)
    }
    guard skills.isEmpty else { return .array(skills) }
    return [
      [
        "id": "message", "name": "Message", "description": "Takes a message and answers it.",
        "tags": ["message"],
      ]
    ]
  }

  private static func complete(_ skill: JSON, number: Int) -> JSON? {
    // Cards written by hand often list skills by name only.
    if let name = skill.string {
      return ["id": .string(name), "name": .string(name), "description": .string(name), "tags": []]
    }
    guard skill.object != nil else { return nil }
    var whole = skill
    let id = skill["id"]?.string ?? skill["name"]?.string ?? "skill-\(number)"
    let name = skill["name"]?.string ?? id
    whole["id"] = .string(id)
    whole["name"] = .string(name)
    whole["description"] = .string(skill["description"]?.string ?? name)
    if !isStrings(skill["tags"]) { whole["tags"] = [] }
    for list in ["examples", "inputModes", "outputModes"] where !isStrings(skill[list]) {
      whole[list] = nil
    }
    // The agent's own credentials do not count at the relay.
    for list in ["security", "securityRequirements"] { whole[list] = nil }
    return whole
  }

  private static func isStrings(_ value: JSON?) -> Bool {
    value?.array?.allSatisfy { $0.string != nil } ?? false
  }
}
