/// What the members of a registered card have to be, as far as readers of A2A know them (0.3 §5.5,
/// 1.0 §4.4). Other members may be anything.
enum AgentCardShape {
  indirect enum Kind: Sendable {
    case string, bool, strings, array, object
    case members([Field])
    case list(Kind)
    /// A string, as in cards that are written by hand, or the kind.
    case stringOr(Kind)
  }

  struct Field: Sendable {
    let name: String
    let kind: Kind
    let isRequired: Bool
    /// The name in the proto, which readers of 1.0 accept too.
    let snakeName: String

    init(_ name: String, _ kind: Kind, isRequired: Bool = false) {
      self.name = name
      self.kind = kind
      self.isRequired = isRequired
      snakeName = name.reduce(into: "") { snake, letter in
        snake += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
      }
    }
  }

  /// The card with the names of 0.3 and ProtoJSON, or the member that no reader could read.
  static func read(_ card: JSON) throws(AgentCardError) -> JSON {
    guard card.object != nil else { throw AgentCardError("the card must be an object") }
    return try read(card, as: .members(card03and10), at: "")
  }

  /// Required is only what the relay does not fill in.
  private static let card03and10 = [
    Field("name", .string), Field("description", .string), Field("version", .string),
    Field("url", .string), Field("protocolVersion", .string),
    Field("preferredTransport", .string), Field("documentationUrl", .string),
    Field("iconUrl", .string), Field("supportsAuthenticatedExtendedCard", .bool),
    Field("provider", .members(provider)), Field("capabilities", .members(capabilities)),
    Field("defaultInputModes", .strings), Field("defaultOutputModes", .strings),
    Field("skills", .list(.stringOr(.members(skill)))),
    Field("supportedInterfaces", .array), Field("additionalInterfaces", .array),
    Field("signatures", .array), Field("security", .array),
    Field("securityRequirements", .array), Field("securitySchemes", .object),
  ]
  private static let provider = [
    Field("organization", .string, isRequired: true), Field("url", .string),
  ]
  private static let capabilities = [
    Field("streaming", .bool), Field("pushNotifications", .bool),
    Field("stateTransitionHistory", .bool), Field("extendedAgentCard", .bool),
    Field("extensions", .list(.members(extensions))),
  ]
  private static let extensions = [
    Field("uri", .string, isRequired: true), Field("description", .string),
    Field("required", .bool), Field("params", .object),
  ]
  private static let skill = [
    Field("id", .string), Field("name", .string), Field("description", .string),
    Field("tags", .strings), Field("examples", .strings), Field("inputModes", .strings),
    Field("outputModes", .strings), Field("security", .array),
    Field("securityRequirements", .array),
  ]

  private static func read(
    _ value: JSON, as kind: Kind, at path: String
  ) throws(AgentCardError) -> JSON {
    switch kind {
    case .string where value.string != nil: return value
    case .bool where value.bool != nil: return value
    case .array where value.array != nil: return value
    case .object where value.object != nil: return value
    case .strings:
      if value.array?.allSatisfy({ $0.string != nil }) == true { return value }
    case .list(let element):
      guard let list = value.array else { break }
      var read: [JSON] = []
      for (index, one) in list.enumerated() {
        read.append(try self.read(one, as: element, at: "\(path)[\(index)]"))
      }
      return .array(read)
    case .stringOr(let other):
      if value.string != nil { return value }
      if value.object != nil { return try read(value, as: other, at: path) }
    case .members(let fields):
      if let members = value.object { return try read(members, fields, at: path) }
    default: break
    }
    throw AgentCardError("\(path) must be \(kind.name)")
  }

  private static func read(
    _ members: [JSON.Member], _ fields: [Field], at path: String
  ) throws(AgentCardError) -> JSON {
    func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
    var read: [JSON.Member] = []
    var seen: Set<String> = []
    for member in members {
      let field = fields.first { $0.name == member.key || $0.snakeName == member.key }
      guard let field else {
        read.append(member)
        continue
      }
      // Null stands for absent.
      if member.value.isNull { continue }
      guard seen.insert(field.name).inserted else {
        throw AgentCardError("\(place(field.name)) is there twice; once is allowed")
      }
      let value = try self.read(member.value, as: field.kind, at: place(field.name))
      read.append(JSON.Member(field.name, value))
    }
    for field in fields where field.isRequired && !seen.contains(field.name) {
      throw AgentCardError("\(place(field.name)) is missing; it must be \(field.kind.name)")
    }
    return .object(read)
  }
}

extension AgentCardShape.Kind {
  fileprivate var name: String {
    switch self {
    case .string: "a string"
    case .bool: "true or false"
    case .strings: "an array of strings"
    case .array, .list: "an array"
    case .object, .members: "an object"
    case .stringOr(let other): "a string or \(other.name)"
    }
  }
}
