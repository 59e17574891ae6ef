/// One refusal as an A2A caller sees it: a JSON-RPC error with a `google.rpc.ErrorInfo`
/// (A2A 1.0 §5.4, §9.5; JSON-RPC 2.0 §5.1).
///
/// A constructor knows neither the caller's id nor its dialect; `answering` fills both in.
package struct A2AError: Error, Sendable {
  /// The domain of the reasons of A2A's own errors (A2A 1.0 §9.5).
  package static let protocolDomain = "a2a-protocol.org"
  /// The domain of the reasons that only a relay has.
  package static let relayDomain = "relay.a2a"

  package var code: Int
  package var message: String
  /// The raw JSON of the request's id; `null` when it could not be read (JSON-RPC 2.0 §5).
  package var id: [UInt8] = Array("null".utf8)
  package var dialect: Dialect = .v03
  package var reason: String
  package var domain: String
  package var metadata: [(String, String)] = []
  package var retryAfterSeconds: Int?

  package init(
    code: Int, message: String, reason: String, domain: String = A2AError.protocolDomain,
    metadata: [(String, String)] = [], retryAfterSeconds: Int? = nil
  ) {
    self.code = code
    self.message = message
    self.reason = reason
    self.domain = domain
    self.metadata = metadata
    self.retryAfterSeconds = retryAfterSeconds
  }

  /// Returns the error with the id and the dialect of this call.
  package func answering(_ call: A2ACall) -> A2AError {
    answering(id: call.id, dialect: call.dialect)
  }

  package func answering(id: [UInt8], dialect: Dialect) -> A2AError {
    var error = self
    error.id = id
    error.dialect = dialect
    return error
  }
}

/// JSON-RPC's own errors (JSON-RPC 2.0 §5.1).
extension A2AError {
  package static func parseError(_ why: String) -> A2AError {
    A2AError(code: -32700, message: "The body is not JSON: \(why)", reason: "PARSE_ERROR")
  }

  package static func invalidRequest(_ why: String) -> A2AError {
    A2AError(code: -32600, message: "Not a JSON-RPC request: \(why)", reason: "INVALID_REQUEST")
  }

  package static func methodNotFound(_ method: String) -> A2AError {
    A2AError(
      code: -32601, message: "Method not found: \(String(method.prefix(100)))",
      reason: "METHOD_NOT_FOUND")
  }

  package static func invalidParams(_ why: String) -> A2AError {
    A2AError(code: -32602, message: "Invalid params: \(why)", reason: "INVALID_PARAMS")
  }

  package static func internalError(_ why: String) -> A2AError {
    A2AError(code: -32603, message: why, reason: "INTERNAL_ERROR")
  }
}

/// A2A's errors (A2A 1.0 §5.4; 0.3 §8.2 has the first seven).
extension A2AError {
  package static func taskNotFound(_ taskID: String? = nil) -> A2AError {
    A2AError(
      code: -32001, message: "Task not found", reason: "TASK_NOT_FOUND",
      metadata: taskID.map { [("taskId", $0)] } ?? [])
  }

  package static func taskNotCancelable(_ state: A2AState? = nil) -> A2AError {
    A2AError(
      code: -32002, message: "Task cannot be canceled", reason: "TASK_NOT_CANCELABLE",
      metadata: state.map { [("state", $0.name(in: .v10))] } ?? [])
  }

  package static func pushNotificationNotSupported() -> A2AError {
    A2AError(
      code: -32003, message: "Push Notification is not supported",
      reason: "PUSH_NOTIFICATION_NOT_SUPPORTED")
  }

  package static func unsupportedOperation(_ why: String) -> A2AError {
    A2AError(
      code: -32004, message: "This operation is not supported: \(why)",
      reason: "UNSUPPORTED_OPERATION")
  }

  package static func contentTypeNotSupported(_ why: String) -> A2AError {
    A2AError(
      code: -32005, message: "Incompatible content types: \(why)",
      reason: "CONTENT_TYPE_NOT_SUPPORTED")
  }

  package static func invalidAgentResponse(_ why: String) -> A2AError {
    A2AError(
      code: -32006, message: "Invalid agent response: \(why)", reason: "INVALID_AGENT_RESPONSE")
  }

  package static func extendedCardNotConfigured() -> A2AError {
    A2AError(
      code: -32007, message: "Authenticated Extended Card is not configured",
      reason: "EXTENDED_AGENT_CARD_NOT_CONFIGURED")
  }

  package static func extensionSupportRequired(_ uri: String) -> A2AError {
    A2AError(
      code: -32008, message: "The client must support the extension \(uri)",
      reason: "EXTENSION_SUPPORT_REQUIRED")
  }

  package static func versionNotSupported(_ version: String) -> A2AError {
    var error = A2AError(
      code: -32009,
      message: "A2A version \(String(version.prefix(32))) is not supported; use 0.3 or 1.0",
      reason: "VERSION_NOT_SUPPORTED", metadata: [("supportedVersions", "0.3, 1.0")])
    error.dialect = .v10
    return error
  }
}

/// The errors that only a relay has (-32603, A2A 1.0 §3.3.2 "temporary unavailability").
extension A2AError {
  /// Whether the agent has seen the request: decides if retrying is safe.
  package enum Delivered: String, Sendable {
    case no, unknown, yes
  }

  /// A relay's refusal, e.g. `AGENT_OFFLINE`, `AGENT_TIMEOUT`, `QUEUE_FULL`.
  package static func relay(
    _ reason: String, _ message: String, delivered: Delivered? = nil,
    retryAfterSeconds: Int? = nil, metadata: [(String, String)] = []
  ) -> A2AError {
    var all = metadata
    if let delivered { all.insert(("delivered", delivered.rawValue), at: 0) }
    return A2AError(
      code: -32603, message: message, reason: reason, domain: relayDomain, metadata: all,
      retryAfterSeconds: retryAfterSeconds)
  }
}
