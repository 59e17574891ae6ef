/// One message, walked once: its routed members, and what each dialect would object to.
struct MessageScan {
  var range: Range<Int>
  var kind = Field.absent
  var messageID = Field.absent
  var taskID = Field.absent
  var contextID = Field.absent
  var role = Field.absent
  var references: [JSONScanner.Text] = []
  var parts = PartsScan()
  /// The fault of an optional member, in any dialect.
  var problem: StaticString?
  var hasSnakeCase = false
  /// An id is there and null: another one cannot be added without repeating its name.
  private var hasNullID = false
  private let partsMax: Int

  /// Walks the object that starts at the scanner's position. It has at most `partsMax` parts.
  init(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner, partsMax: Int = PartsScan.countMax
  ) throws(JSONError) {
    self.partsMax = partsMax
    let start = scanner.index
    range = start..<start
    var names = JSONScanner.Names()
    try scanner.enter(bytes)
    while let key = try scanner.nextKey(bytes, &names) {
      if try !camelCase(key, bytes, &scanner), try !snakeCase(key, bytes, &scanner) {
        try scanner.skip(bytes)
      }
    }
    range = start..<scanner.index
  }

  private mutating func camelCase(
    _ key: JSONScanner.Text, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    if key.equals("parts", in: bytes) {
      parts = try PartsScan(bytes, &scanner, countMax: partsMax)
    } else if key.equals("role", in: bytes) {
      role = try scanner.enumeration(bytes)
    } else if key.equals("messageId", in: bytes) {
      try readID(\.messageID, bytes, &scanner)
    } else if key.equals("kind", in: bytes) {
      kind = try scanner.field(bytes)
    } else if key.equals("taskId", in: bytes) {
      try readID(\.taskID, bytes, &scanner)
    } else if key.equals("contextId", in: bytes) {
      try readID(\.contextID, bytes, &scanner)
    } else if key.equals("metadata", in: bytes) {
      if try !scanner.isObjectOrNull(bytes) { problem = "metadata must be an object" }
    } else if key.equals("referenceTaskIds", in: bytes) {
      try readReferences(bytes, &scanner)
    } else if key.equals("extensions", in: bytes) {
      if try scanner.strings(bytes) == nil { problem = "extensions must be an array of strings" }
    } else {
      return false
    }
    return true
  }

  /// The names of the proto, which protobuf's JSON readers take as well (A2A 1.0 §5.5).
  private mutating func snakeCase(
    _ key: JSONScanner.Text, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    if key.equals("message_id", in: bytes) {
      try readID(\.messageID, bytes, &scanner)
    } else if key.equals("task_id", in: bytes) {
      try readID(\.taskID, bytes, &scanner)
    } else if key.equals("context_id", in: bytes) {
      try readID(\.contextID, bytes, &scanner)
    } else if key.equals("reference_task_ids", in: bytes) {
      try readReferences(bytes, &scanner)
    } else {
      return false
    }
    hasSnakeCase = true
    return true
  }

  /// Its camel and its snake spelling name one member.
  private mutating func readID(
    _ id: WritableKeyPath<Self, Field>, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if !self[keyPath: id].isAbsent { problem = "an id is there twice, in two spellings" }
    self[keyPath: id] = try scanner.field(bytes)
    if self[keyPath: id].isAbsent { hasNullID = true }
  }

  private mutating func readReferences(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if !references.isEmpty { problem = "referenceTaskIds is there twice, in two spellings" }
    if let list = try scanner.strings(bytes) {
      references = list
    } else {
      problem = "referenceTaskIds must be an array of strings"
    }
  }

  /// True when a reader of the dialect can be given the very bytes, ids aside.
  func isNative(to dialect: Dialect, _ bytes: Span<UInt8>) -> Bool {
    guard !hasSnakeCase, !hasNullID, let role = role.text, messageID.text != nil else {
      return false
    }
    guard dialect == .v03 ? parts.isNative03 : parts.isNative10 else { return false }
    let isNamed = kind.text?.equals("message", in: bytes) ?? false
    guard dialect == .v03 ? isNamed : kind.isAbsent else { return false }
    return role.equals("ROLE_USER", in: bytes) || role.equals("ROLE_AGENT", in: bytes)
      ? dialect == .v10 : dialect == .v03
  }
}

/// The parts of a message or artifact, walked once.
struct PartsScan {
  /// Limit: Parts of one message, and of one result with all its artifacts; artifacts of one
  /// result. Each may be translated whenever the Task is read.
  static let countMax = 4096
  static let tooMany: StaticString = "more than 4096 parts are not allowed"

  enum Shape { case absent, wrong, array }

  /// The first part that a dialect objects to, and why.
  struct Problem {
    let index: Int
    let why: StaticString
  }

  var shape = Shape.absent
  var count = 0
  var problem03: Problem?
  var problem10: Problem?
  /// The first part that is good in neither of its possible readings.
  var problem: Problem?
  var texts: [JSONScanner.Text] = []
  var isNative03 = true
  var isNative10 = true

  init() {}

  init(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner, countMax: Int = Self.countMax
  ) throws(JSONError) {
    switch try scanner.kind(bytes) {
    case .array: break
    case .null:
      try scanner.literal(bytes)
      return
    default:
      shape = .wrong
      try scanner.skip(bytes)
      return
    }
    shape = .array
    var isFirst = true
    try scanner.enter(bytes)
    while try scanner.nextElement(bytes, isFirst: &isFirst) {
      if count < countMax {
        try element(bytes, &scanner)
      } else {
        note(Self.tooMany, Self.tooMany, Self.tooMany)
        try scanner.skip(bytes)
      }
      count += 1
    }
  }

  private mutating func element(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    guard try scanner.kind(bytes) == .object else {
      try scanner.skip(bytes)
      note("must be an object", "must be an object", "must be an object")
      return
    }
    let part = try PartScan(bytes, &scanner)
    if let text = part.text.text { texts.append(text) }
    isNative03 = isNative03 && part.isNative(to: .v03, bytes)
    isNative10 = isNative10 && part.isNative(to: .v10, bytes)
    note(part.problem03(bytes), part.problem10, part.problem(in: part.ownDialect, bytes))
  }

  private mutating func note(_ in03: StaticString?, _ in10: StaticString?, _ own: StaticString?) {
    if problem03 == nil, let in03 { problem03 = Problem(index: count, why: in03) }
    if problem10 == nil, let in10 { problem10 = Problem(index: count, why: in10) }
    if problem == nil, let own { problem = Problem(index: count, why: own) }
  }
}
