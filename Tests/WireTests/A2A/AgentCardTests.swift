import Glibc
import Testing
import Wire

@Suite struct AgentCardTests {
  func card(_ registered: JSON?, key: Bool = true) throws -> JSON {
    if let registered { try AgentCard.check(registered) }
    return try JSON(
      parsing: AgentCard.synthesize(
        registered: registered?.bytes ?? [], workspaceName: "ws", base: "https://r/w/1/",
        relayKeyScheme: key,
        relayVersion: "3.2.1"))
  }

  @Test func `a card is complete for both dialects without any registration`() throws {
    let card = try card(nil)
    #expect(card["name"] == "ws" && card["url"] == "https://r/w/1/" && card["version"] == "3.2.1")
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
      "name": "A", "description": "d", "url": "http://own", "x-own": [1], "iconUrl": nil,
      "provider": ["organization": "o"], "signatures": [[:]], "additionalInterfaces": [[:]],
      "capabilities": ["streaming": true, "own": 1], "skills": ["research", ["id": "i"]],
    ])
    #expect(card["name"] == "A" && card["x-own"] == [1] && card["iconUrl"] == nil)
    #expect(card["url"] == "https://r/w/1/" && card["provider"]?["url"] == "")
    #expect(card["signatures"] == nil && card["additionalInterfaces"] == nil)
    #expect(card["capabilities"]?["streaming"]?.bool == false)
    #expect(card["capabilities"]?["own"]?.int == 1)
    #expect(card["skills"]?.array?.map { $0["name"]?.string } == ["research", "i"])
    #expect(card["skills"]?.array?.allSatisfy { $0["tags"] == [] } == true)
  }

  /// Eight times the members cost eight times as much; with a look through all members for each one
  /// it would be 64 times. What else runs on the machine does not count.
  @Test func `what a card costs grows with its members, and not faster`() throws {
    func nanoseconds(members count: Int) throws -> UInt64 {
      let own = JSON.object((0..<count).map { JSON.Member("k\($0)", 0) })
      var least = UInt64.max
      for _ in 0..<3 {
        let start = processorTime()
        #expect(try card(own)["k\(count - 1)"] == 0)
        least = min(least, processorTime() - start)
      }
      return least
    }
    let (few, many) = (try nanoseconds(members: 3_000), try nanoseconds(members: 24_000))
    #expect(many < 24 * few, "\(few) ns for 3,000 members, \(many) ns for 24,000")
  }

  private func processorTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
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

  @Test(arguments: [true, false])
  func `an agent's own security is in no spelling and at no place of the card`(
    hasKey: Bool
  ) throws {
    let skill: JSON = [
      "id": "s", "security": [["a": []]], "securityRequirements": [["schemes": ["a": [:]]]],
    ]
    for (schemes, requirements) in [
      ("securitySchemes", "securityRequirements"), ("security_schemes", "security_requirements"),
    ] {
      let card = try card(
        .object([
          JSON.Member(
            schemes,
            [
              "a": ["type": "apiKey", "in": "header", "name": "X-Agent"],
              "b": ["httpAuthSecurityScheme": ["scheme": "X-Agent"]],
            ]), JSON.Member("security", [["a": ["s"]]]),
          JSON.Member(requirements, [["schemes": ["a": ["list": []]]]]),
          JSON.Member("authentication", ["schemes": ["X-Agent"]]), JSON.Member("skills", [skill]),
        ]), key: hasKey)
      let none = try self.card(nil, key: hasKey)
      for name in ["securitySchemes", "security", "securityRequirements"] {
        #expect(card[name] == none[name] && (card[name] != nil) == hasKey)
      }
      let names = card["skills"]?.array?.first?.object?.map(\.key)
      #expect(names == ["id", "name", "description", "tags"])
      let text = String(decoding: card.bytes, as: UTF8.self)
      #expect(!text.contains("X-Agent") && !text.contains("security_"))
    }
  }

  @Test func `names in snake case are read, once`() throws {
    let card = try card([
      "default_input_modes": ["a/b"], "documentation_url": "http://d", "icon_url": nil,
      "supported_interfaces": [["url": "http://own"]], "protocol_version": "9",
      "capabilities": ["push_notifications": true, "extended_agent_card": true],
      "skills": [["id": "i", "input_modes": ["c/d"]]],
    ])
    #expect(card["defaultInputModes"] == ["a/b"] && card["documentationUrl"] == "http://d")
    #expect(card["capabilities"]?["pushNotifications"]?.bool == false)
    #expect(card["skills"]?.array?.first?["inputModes"] == ["c/d"])
    #expect(!String(decoding: card.bytes, as: UTF8.self).contains("_"))
  }

  @Test func `a card from before this rule is shown without what nobody could read`() throws {
    let bytes = AgentCard.synthesize(
      registered: ([
        "name": "A", "iconUrl": 5, "provider": [:], "skills": [5, "s"], "capabilities": [],
      ] as JSON).bytes, workspaceName: "w", base: "h/", relayKeyScheme: true, relayVersion: "1")
    let card = try JSON(parsing: bytes)
    #expect(card["name"] == "A" && card["iconUrl"] == nil && card["provider"] == nil)
    #expect(card["skills"]?.array?.count == 1)
  }

  @Test(
    arguments: [
      ([], "the card must be an object"), (["name": 5], "name must be a string"),
      (["version": []], "version must be a string"),
      (["iconUrl": 5], "iconUrl must be a string"), (["icon_url": 5], "iconUrl must be a string"),
      (["provider": "o"], "provider must be an object"),
      (["provider": ["url": "u"]], "provider.organization is missing; it must be a string"),
      (["provider": ["organization": nil]], "provider.organization is missing"),
      (["capabilities": ["streaming"]], "capabilities must be an object"),
      (["capabilities": ["streaming": "yes"]], "capabilities.streaming must be true or false"),
      (["capabilities": ["extensions": [:]]], "capabilities.extensions must be an array"),
      (
        ["capabilities": ["extensions": [["uri": "u"], ["params": [:]]]]],
        "capabilities.extensions[1].uri is missing"
      ),
      (
        ["capabilities": ["extensions": [["uri": "u", "params": []]]]],
        "capabilities.extensions[0].params must be an object"
      ),
      (["defaultInputModes": "text"], "defaultInputModes must be an array of strings"),
      (["defaultOutputModes": [1]], "defaultOutputModes must be an array of strings"),
      (["skills": "s"], "skills must be an array"),
      (["skills": [5]], "skills[0] must be a string or an object"),
      (["skills": ["s", ["id": 1]]], "skills[1].id must be a string"),
      (["skills": [["tags": "t"]]], "skills[0].tags must be an array of strings"),
      (["skills": [["examples": [1]]]], "skills[0].examples must be an array of strings"),
      (["securitySchemes": []], "securitySchemes must be an object"),
      (["signatures": [:]], "signatures must be an array"),
      (["iconUrl": "a", "icon_url": "b"], "iconUrl is there twice"),
      (["x": .string(String(repeating: "x", count: AgentCard.bytesMax))], "256 KiB"),
    ] as [(JSON, String)])
  func `a card that no reader could read is refused, and its member named`(
    bad: JSON, part: String
  ) {
    let error = #expect(throws: AgentCardError.self) { try AgentCard.check(bad) }
    #expect(error?.description.contains(part) == true, "\(String(describing: error))")
  }
}
