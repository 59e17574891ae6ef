import Testing
import Wire

@Suite struct AgentCardTests {
  func card(_ registered: JSON?, key: Bool = true) throws -> JSON {
    try JSON(
      parsing: AgentCard.synthesize(
        registered: registered, workspaceName: "ws", base: "https://r/w/1/", relayKeyScheme: key,
        relayVersion: "0.1.0"))
  }

  @Test func `a card is complete for both dialects without any registration`() throws {
    let card = try card(nil)
    #expect(card["name"] == "ws" && card["url"] == "https://r/w/1/" && card["version"] == "0.1.0")
    #expect(card["protocolVersion"] == "0.3.0" && card["preferredTransport"] == "JSONRPC")
    #expect(
      card["supportedInterfaces"]?.array?.map { $0["protocolVersion"]?.string } == ["1.0", "0.3"])
    for name in ["streaming", "pushNotifications", "stateTransitionHistory", "extendedAgentCard"] {
      #expect(card["capabilities"]?[name]?.bool == false)
    }
    #expect(card["supportsAuthenticatedExtendedCard"]?.bool == false)
    #expect(card["skills"]?.array?.first?.object?.count == 4)
    #expect(card["security"] == [["relay": []]])
    #expect(card["securityRequirements"] == [["schemes": ["relay": ["list": []]]]])
    #expect(try self.card(nil, key: false)["securitySchemes"] == nil)
  }

  @Test func `what was registered is kept, and what is not true any more is not`() throws {
    let card = try card([
      "name": "A", "description": "d", "url": "http://own", "x-own": [1], "iconUrl": 5,
      "provider": ["organization": "o"], "signatures": [[:]], "additionalInterfaces": [[:]],
      "capabilities": ["streaming": true, "own": 1], "skills": ["research", ["id": "i"], 5],
    ])
    #expect(card["name"] == "A" && card["x-own"] == [1] && card["iconUrl"] == nil)
    #expect(card["url"] == "https://r/w/1/" && card["provider"]?["url"] == "")
    #expect(card["signatures"] == nil && card["additionalInterfaces"] == nil)
    #expect(card["capabilities"]?["streaming"]?.bool == false)
    #expect(card["capabilities"]?["own"]?.int == 1)
    #expect(card["skills"]?.array?.map { $0["name"]?.string } == ["research", "i"])
    #expect(card["skills"]?.array?.allSatisfy { $0["tags"] == [] } == true)
  }

  @Test func `an agent's own security is left alone, in both spellings`() throws {
    let card = try card([
      "securitySchemes": [
        "a": ["type": "apiKey", "in": "header", "name": "X"],
        "b": ["httpAuthSecurityScheme": ["scheme": "Bearer"]],
      ], "security": [["a": ["s"]]],
    ])
    let schemes = card["securitySchemes"]
    #expect(schemes?["relay"] == nil)
    #expect(schemes?["a"]?["apiKeySecurityScheme"] == ["location": "header", "name": "X"])
    #expect(schemes?["b"]?["type"] == "http" && schemes?["b"]?["scheme"] == "Bearer")
    #expect(card["securityRequirements"] == [["schemes": ["a": ["list": ["s"]]]]])
  }

  /// With a look through all members for each one, these would take many minutes.
  @Test(.timeLimit(.minutes(1)), arguments: [true, false])
  func `what a card costs grows with its members, and not faster`(isScheme: Bool) throws {
    let count = 24_000
    let many = JSON.object((0..<count).map { JSON.Member("k\($0)", 0) })
    let own: JSON =
      isScheme ? ["securitySchemes": ["s": ["httpAuthSecurityScheme": many]]] : many
    for _ in 0..<16 {
      let card = try card(own)
      let kept = isScheme ? card["securitySchemes"]?["s"] : card
      #expect(kept?["k\(count - 1)"] == 0)
    }
  }

  @Test func `members are set at once as they are one by one`() {
    let added: [JSON.Member] = [
      JSON.Member("a", 1), JSON.Member("new", 2), JSON.Member("b", 3), JSON.Member("new", 4),
    ]
    let old = JSON.object([
      JSON.Member("a", 0), JSON.Member("b", 0), JSON.Member("a", 0), JSON.Member("c", 0),
    ])
    var (once, each) = (old, old)
    once.set(added)
    for member in added { each[member.key] = member.value }
    #expect(once == each && once.object?.count == 5)
    var text: JSON = "no object"
    text.set(added)
    #expect(text == "no object")
  }

  @Test func `a bad card is refused with its reason`() {
    for (bad, part) in [
      (JSON.array([]), "object"), (["name": 5], "name"),
      (["x": .string(String(repeating: "x", count: AgentCard.bytesMax))], "256 KiB"),
    ] {
      do throws(AgentCardError) {
        _ = try AgentCard.synthesize(
          registered: bad, workspaceName: "w", base: "h/", relayKeyScheme: true, relayVersion: "1")
        Issue.record("taken")
      } catch {
        #expect(error.description.contains(part))
      }
    }
  }
}
