import HTTPServer
import Relay

/// One line of the route table: which requests it is for, who may send them, how long their body
/// may be, and what is done with them.
final class Route: Sendable {
  typealias Handler = @Sendable (Handlers, Request) throws(RelayError) -> Void

  /// Who may use a route. It is decided from the head alone, before a body is read.
  enum Access: Equatable, Sendable {
    /// Everybody; no credential is looked at.
    case everybody
    /// Everybody; a bearer that counts decides what is shown.
    case anybody
    /// Whoever may call the workspace in the path.
    case caller
    /// The same; a header of the platform's clients that names another caller is refused.
    case platformCaller
    /// Whoever shows a credential that counts; the body says which workspace is called.
    case platformCallerOfBody
    /// The sender of the message in the path, by a credential or by its receipt.
    case sender
    /// The agent of the workspace in the path.
    case agent
    /// An agent, for its own workspace.
    case anyAgent
    /// Whoever shows a bearer that counts.
    case bearer
    /// Whoever may register an agent: with `--registration claim` or `open` also without a bearer.
    case registrant
    /// The admin token, and keys of the org of the workspace in the path that have this scope.
    case operators(RegisteredToken.Scopes)
    /// The same, also for a workspace that has been removed.
    case operatorsEvenIfRemoved
    /// The agent of the workspace in the path, or its operators.
    case agentOrOperators(RegisteredToken.Scopes)
    /// The admin token, and keys of any org that have this scope.
    case anyOperator(RegisteredToken.Scopes)
    /// Operators of some workspace that the message in the path may belong to.
    case operatorsOfMessage
    /// Readers of `/metrics`.
    case metrics
    /// The admin token.
    case admin
  }

  /// How long a body may be. Callers without a credential get less room for any of them.
  enum BodyBound: Sendable {
    case none
    /// Room for a card and little else.
    case card
    /// Room for a card, or for a secret with every byte escaped.
    case secret
    /// Room for a message.
    case message
  }

  /// Whose share of the memory the request and its answer take.
  enum Payer: Sendable {
    case sender
    /// Everybody who reads what is public shares this one.
    case readers
    /// Nobody: it is asked for most when memory is full.
    case nobody
  }

  struct Traits: OptionSet, Sendable {
    let rawValue: UInt8

    /// JSON-RPC callers, who may be pages of any origin, and whose errors have a form of their own.
    static let callers = Traits(rawValue: 1)
    /// Goes on after a final error.
    static let outlivesFailure = Traits(rawValue: 2)
    /// Changes something, whatever the method is.
    static let changesState = Traits(rawValue: 4)
    /// A refusal for a removed workspace says when it was removed, and how long it can be restored.
    static let explainsRemoval = Traits(rawValue: 8)
    /// The platform's clients end at a 404 here, and at no other refusal.
    static let endsByNotFound = Traits(rawValue: 16)
    /// The platform's feed, whose refusal says what to use instead.
    static let feed = Traits(rawValue: 32)
  }

  let methods: HTTPMethods
  /// The patterns of its path; the first is the one that people are told of.
  let patterns: [String]
  let access: Access
  let bodyBound: BodyBound
  let payer: Payer
  let traits: Traits
  /// What everybody hears whom `access` lets in; then there is no handler.
  let refusal: RelayError?
  private let handler: Handler?

  /// - `also`: another pattern of the same path.
  init(
    _ methods: HTTPMethods, _ pattern: String, also: String? = nil, _ access: Access,
    body: BodyBound = .message, payer: Payer = .sender, _ traits: Traits = [],
    handler: @escaping Handler
  ) {
    self.methods = methods
    patterns = [pattern] + [also].compactMap(\.self)
    self.access = access
    bodyBound = body
    self.payer = payer
    self.traits = traits
    refusal = nil
    self.handler = handler
  }

  /// A path that is not served.
  ///
  /// - `methods`: those for which `access` looks at a credential.
  init(
    _ methods: HTTPMethods = [], refusing patterns: [String], _ access: Access = .everybody,
    with refusal: RelayError, _ traits: Traits = []
  ) {
    self.methods = methods
    self.patterns = patterns
    self.access = access
    bodyBound = .none
    payer = .sender
    self.traits = traits
    self.refusal = refusal
    handler = nil
  }

  /// A path that is in no line of the table.
  static let none = Route(refusing: [], with: .noRoute)
  /// A path with a segment that should be an id and is none.
  static let badID = Route(refusing: [], with: .notFound)

  func handle(_ request: Request, by handlers: Handlers) throws(RelayError) {
    guard let handler else { throw refusal ?? .noRoute }
    try handler(handlers, request)
  }
}
