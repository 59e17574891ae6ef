/// Turns a scanned body into a call, or says which member keeps it from being one.
struct CallJudge {
  private let body: [UInt8]
  private let version: String?
  private let isStrict: Bool
  private let scan: CallScan
  private let id: [UInt8]
  private let method: A2AMethod
  private let methodName: String
  private let dialect: Dialect

  init(_ body: [UInt8], version: String?, isStrict: Bool) throws(A2AError) {
    let fallback = Dialect(version: version) ?? .v10
    do throws(JSONError) {
      scan = try CallScan(body.span, valuesMax: isStrict ? JSONScanner.valuesMax : .max)
    } catch {
      if error.problem == .tooManyValues {
        throw A2AError.invalidRequest(
          "it has more than \(JSONScanner.valuesMax) members and elements"
        ).answering(id: Self.nullID, dialect: fallback)
      }
      throw A2AError.parseError(error.description).answering(id: Self.nullID, dialect: fallback)
    }
    self.body = body
    self.version = version
    self.isStrict = isStrict
    let unreadable = isStrict ? JSONUnreadable.first(in: body.span, walkedBy: scan.scanner) : nil
    let isIDGood = scan.isIDGood && unreadable?.isIn("id") != true
    id = isIDGood ? scan.id.map { Array(body[$0]) } ?? Self.nullID : Self.nullID
    // JSON-RPC 2.0 §4: jsonrpc is exactly "2.0", method a string, id a string, number or null.
    if let why = Self.notARequest(scan, body.span) {
      throw A2AError.invalidRequest(why).answering(id: id, dialect: fallback)
    }
    methodName = scan.method.text?.string(in: body.span) ?? ""
    let named = A2AMethod.named(methodName)
    // A2A 1.0 §3.6.2: the server answers by the version asked for, or not at all.
    if isStrict && Dialect(version: version) == nil {
      throw A2AError.versionNotSupported(version ?? "").answering(id: id, dialect: .v10)
    }
    method = named?.method ?? .unknown
    dialect = named?.dialect ?? fallback
    if isStrict && named == nil {
      throw A2AError.methodNotFound(methodName).answering(id: id, dialect: dialect)
    }
    guard let unreadable else { return }
    let error =
      unreadable.isIn("params")
      ? A2AError.invalidParams("\(unreadable)") : A2AError.invalidRequest("\(unreadable)")
    throw error.answering(id: id, dialect: dialect)
  }

  private static let nullID = Array("null".utf8)

  private static func notARequest(_ scan: CallScan, _ bytes: Span<UInt8>) -> String? {
    if scan.isArray { return "batches are not supported; A2A has none" }
    guard scan.isObject else { return "the body must be an object" }
    guard let version = scan.version.text, version.equals("2.0", in: bytes) else {
      return "jsonrpc must be \"2.0\""
    }
    guard scan.method.text != nil else { return "method must be a string" }
    guard scan.isIDGood else {
      return "id must be a string, a number or null, of at most \(A2ACall.idBytesMax) bytes"
    }
    return nil
  }

  func call() throws(A2AError) -> A2ACall {
    if isStrict, let why = method.isSend ? badSend() : badParams() {
      throw A2AError.invalidParams(why).answering(id: id, dialect: dialect)
    }
    let params = scan.inside
    let message = method.isSend || method == .unknown ? params.message : nil
    return A2ACall(
      method: method, methodName: methodName, dialect: dialect, id: id,
      isNotification: scan.id == nil, params: scan.params ?? 0..<0,
      message: message?.range ?? 0..<0,
      messageID: string(message?.messageID), taskID: taskID(message),
      contextID: string(method.isSend ? message?.contextID : params.contextID),
      role: string(message?.role).flatMap { A2ARole(name: $0) },
      partCount: message?.parts.count ?? 0,
      texts: message?.parts.texts ?? [], isBlocking: isBlocking,
      historyLength: historyLength, hasPushConfig: params.configuration.hasPushConfig,
      referenceTaskIDs: message?.references.map { $0.string(in: body.span) } ?? [])
  }

  /// The decoded value of a member that is a non-empty string. Protobuf's JSON writers may spell
  /// an unset string as "" (proto3), so that is the same as absent.
  private func string(_ field: Field?) -> String? {
    guard let text = field?.text, !text.isEmpty else { return nil }
    return text.string(in: body.span)
  }

  private func taskID(_ message: MessageScan?) -> String? {
    switch method {
    case .send, .stream: string(message?.taskID)
    case .pushSet, .pushGet, .pushList, .pushDelete:
      string(scan.inside.taskID) ?? string(scan.inside.id)
    case .get, .cancel, .subscribe: string(scan.inside.id)
    case .list, .extendedCard: nil
    case .unknown: string(message?.taskID) ?? string(scan.inside.taskID)
    }
  }

  private var isBlocking: Bool {
    switch dialect {
    case .v03:
      if case .value(let blocking) = scan.inside.configuration.blocking { blocking } else { true }
    case .v10:
      if case .value(let returns) = scan.inside.configuration.returnImmediately {
        !returns
      } else {
        true
      }
    }
  }

  private var historyLength: Int? {
    let length =
      method.isSend ? scan.inside.configuration.historyLength : scan.inside.historyLength
    return if case .value(let count) = length { count } else { nil }
  }
}

/// The checks of params. Each returns the sentence that names the member.
extension CallJudge {
  private func badSend() -> String? {
    guard scan.isParamsObject else { return "params must be an object" }
    guard scan.params != nil else { return "params is missing" }
    guard scan.inside.isMessageGood else { return "params.message must be an object" }
    guard let message = scan.inside.message else { return "params.message is missing" }
    if let why = badID(message.messageID, "params.message.messageId", isRequired: true)
      ?? badRole(message.role) ?? badParts(message.parts)
      ?? badID(message.taskID, "params.message.taskId")
      ?? badID(message.contextID, "params.message.contextId")
    {
      return why
    }
    if let problem = message.problem { return "params.message.\(problem)" }
    return badConfiguration()
  }

  private func badConfiguration() -> String? {
    let configuration = scan.inside.configuration
    guard scan.inside.isConfigurationGood else { return "params.configuration must be an object" }
    guard scan.inside.isMetadataGood else { return "params.metadata must be an object" }
    if let why = badCount(configuration.historyLength, "params.configuration.historyLength") {
      return why
    }
    if dialect == .v03, case .wrong = configuration.blocking {
      return "params.configuration.blocking must be true or false"
    }
    if dialect == .v10, case .wrong = configuration.returnImmediately {
      return "params.configuration.returnImmediately must be true or false"
    }
    return nil
  }

  private func badParams() -> String? {
    guard scan.isParamsObject else { return "params must be an object" }
    switch method {
    case .get, .cancel, .subscribe:
      if let why = badID(scan.inside.id, "params.id", isRequired: true) { return why }
    case .list:
      if let why = badID(scan.inside.contextID, "params.contextId") { return why }
    default: return nil
    }
    guard method == .get || method == .list else { return nil }
    return badCount(scan.inside.historyLength, "params.historyLength")
  }

  /// Says what is wrong with a count: in 1.0 it is an int32, in 0.3 any integer.
  private func badCount(_ field: ScalarField<Int>, _ name: String) -> String? {
    switch field {
    case .absent: nil
    case .value(let count) where dialect == .v03 || count <= Int32.max: nil
    case .value: "\(name) must be at most \(Int32.max)"
    case .wrong: "\(name) must be an integer of 0 or more"
    }
  }

  private func badID(_ field: Field, _ name: String, isRequired: Bool = false) -> String? {
    switch field {
    case .absent: return isRequired ? "\(name) is missing" : nil
    case .wrong: return "\(name) must be a string"
    case .text(let text):
      if isRequired && text.isEmpty { return "\(name) must not be empty" }
      guard text.range.count <= A2ACall.idBytesMax else {
        return "\(name) is longer than \(A2ACall.idBytesMax) bytes"
      }
      return nil
    }
  }

  private func badRole(_ field: Field) -> String? {
    let user = A2ARole.user.name(in: dialect)
    let agent = A2ARole.agent.name(in: dialect)
    switch field {
    case .absent: return "params.message.role is missing"
    case .text(let text) where A2ARole(name: text.string(in: body.span), in: dialect) != nil:
      return nil
    default: return "params.message.role must be \"\(user)\" or \"\(agent)\""
    }
  }

  private func badParts(_ parts: PartsScan) -> String? {
    switch parts.shape {
    case .absent: return "params.message.parts is missing"
    case .wrong: return "params.message.parts must be an array"
    case .array: break
    }
    guard parts.count > 0 else { return "params.message.parts must not be empty" }
    guard let problem = dialect == .v03 ? parts.problem03 : parts.problem10 else { return nil }
    return "params.message.parts[\(problem.index)]: \(problem.why)"
  }
}
