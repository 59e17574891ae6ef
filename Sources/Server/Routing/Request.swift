import Engine
import HTTPServer
import Relay
import System
import Wire

/// One HTTP request as handlers see it: what was sent, which route it is for, and who has sent it.
///
/// The route and the credential are found once, when the head is there; handlers look neither up
/// again.
struct Request {
  let head: HTTPRequestHead
  let method: HTTPMethods
  var body: [UInt8] = []
  let ticket: Ticket
  let now: Now
  let route: Route
  /// The route takes the request's method.
  let isAllowed: Bool
  private let parameters: PathParameters
  private let loop: Loop

  /// The credential that the request shows, if it counts.
  private(set) var shown: ShownCredential?
  /// Who the request comes from: `anonymous` if no credential counts.
  private(set) var sender = Identity.anonymous

  init(_ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now, root: WorkspaceID?) {
    method = HTTPMethods(head.method)
    let match = RouteTable.find(head.path, method, root: root)
    self.head = head
    self.ticket = ticket
    self.now = now
    self.loop = loop
    route = match.route
    isAllowed = match.isAllowed
    parameters = match.parameters
  }

  /// Returns the holder of a secret that the request shows.
  func find(_ secret: ArraySlice<UInt8>, in credentials: Credentials) -> ShownCredential? {
    credentials.find(secret, on: ticket, of: loop, now: now)
  }

  /// Notes which credential the request shows.
  mutating func recognised(_ shown: ShownCredential) {
    self.shown = shown
    sender = shown.identity
  }

  /// Notes that the request's credential means nothing where strangers may call.
  mutating func countAsStranger() { sender = .anonymous }

  /// A poll takes messages, though it is a GET.
  var changesState: Bool {
    if route.traits.contains(.changesState) || method.isEmpty { return true }
    return method.isDisjoint(with: [.get, .head, .options])
  }

  // MARK: the path

  /// The workspace in the path, which the route's pattern has.
  var workspace: WorkspaceID { Self.required(parameters.workspace) }
  var message: MessageID { Self.required(parameters.message) }
  var job: JobID { Self.required(parameters.job) }
  var text: String { Self.required(parameters.text) }

  private static func required<Value>(_ parameter: Value?) -> Value {
    guard let parameter else { preconditionFailure("the route's pattern has no such parameter") }
    return parameter
  }

  var query: QueryItems { QueryItems(head.query) }

  // MARK: the sender

  /// The workspace of the agent that has sent the request.
  var ownWorkspace: WorkspaceID? {
    guard case .workspace(let own) = sender else { return nil }
    return own
  }

  /// The org whose key the request shows; `nil` for the admin token.
  var ownOrg: String? {
    guard case .org(let org, _) = sender else { return nil }
    return org
  }

  /// Who it was, for the audit: what the bearer stands for, and which one it is.
  var actor: String {
    guard let shown, let secret = head.bearer else { return "nobody" }
    let text = shown.identity.text
    if shown.identity == .admin { return text }
    return "\(text) \(SHA256.hash(Array(secret)).hex.prefix(8))"
  }

  /// Whose share of the memory the request's answer is, when it counts as this caller's.
  func payer(of caller: Identity, _ engine: Engine) -> BodyMemory.Payer {
    caller == .anonymous ? .anonymous : shown?.payer ?? engine.payer(of: caller)
  }

  /// Returns the org that an operator means: a key means its own, and may say so; the admin token
  /// names one, or means `default`. `nil`: there is no org of that name.
  func org(named name: String?, _ directory: borrowing Directory) throws(RelayError) -> String? {
    if let own = ownOrg {
      guard name == nil || name == own else { throw .notFound }
      return own
    }
    let name = name ?? Registry.defaultOrg
    return directory.orgs[name] == nil ? nil : name
  }

  /// The other end of the connection; a proxy's, if one is in front.
  var peer: PeerAddress? { loop.peer(of: ticket) }

  /// What the loop has counted.
  var counters: LoopCounters { loop.counters }

  /// The open connections of the relay.
  var connections: Int { loop.connectionCount }

  // MARK: the body

  /// Reads a body that must be a JSON object; an empty body is an empty object.
  func object(_ limits: Limits) throws(RelayError) -> JSON {
    if body.isEmpty { return .object([]) }
    guard JSONUnreadable.first(in: body.span) == nil else { throw .badJSON }
    let json: JSON
    do throws(JSONError) {
      json = try JSON(parsing: body, valuesMax: limits.bodyValuesMax)
    } catch {
      throw RelayError(error)
    }
    guard json.object != nil else { throw .badRequest }
    return json
  }

  // MARK: the answer

  /// Answers at once. Everything that the engine answers goes through `OpenCalls` instead.
  func respond(_ response: HTTPResponse) { loop.respond(ticket, response) }

  func respond(_ json: JSON) { respond(.json(200, json.bytes)) }

  /// Has the request end with its peer.
  func watchPeer() { loop.watchPeer(ticket) }

  /// Waits for the answer.
  ///
  /// - `whitespace`: what keeps clients with short time-outs waiting is sent meanwhile.
  func hold(whitespace: Bool, headers: @autoclosure @escaping () -> [(String, String)] = []) {
    loop.hold(ticket, whitespace: whitespace, headers: headers())
  }
}

extension RelayError {
  /// Why a body could not be read.
  init(_ error: JSONError) { self = error.problem == .tooManyValues ? .tooManyValues : .badJSON }
}

extension HTTPRequestHead {
  /// The credential of the relay's own routes: `Authorization: Bearer …`.
  var bearer: ArraySlice<UInt8>? {
    guard let value = headers.firstBytes("authorization"), value.count > 7 else { return nil }
    // RFC 9110 §11.1: the scheme is case-insensitive.
    let scheme = zip(value, "bearer".utf8).allSatisfy { $0 | 0x20 == $1 }
    guard scheme, value[value.startIndex + 6] == UInt8(ascii: " ") else { return nil }
    return value.dropFirst(7)
  }

  /// The field in which callers show a credential when `Authorization` is the agent's business.
  var relayKey: ArraySlice<UInt8>? { headers.firstBytes("x-relay-key") }

  /// The credential of callers.
  var keyOrBearer: ArraySlice<UInt8>? { relayKey ?? bearer }

  /// Whether the body is not what it holds: compressed, say (RFC 9110 §8.4).
  var isEncoded: Bool {
    guard framing != HTTPFraming.none else { return false }
    return headers.all("content-encoding").contains { value in
      value.split(separator: ",").contains { coding in
        let coding = coding.filter { $0 != " " && $0 != "\t" }.lowercased()
        return !coding.isEmpty && coding != "identity"
      }
    }
  }

  /// How long the caller wants to wait, in seconds (RFC 7240 §4.3: `Prefer: wait=10`).
  var preferredWait: Int? {
    for value in headers.all("prefer") {
      for part in value.split(whereSeparator: { $0 == "," || $0 == ";" }) {
        let pair = part.split(separator: "=", maxSplits: 1)
        let name = pair.first.map { $0.filter { $0 != " " }.lowercased() }
        guard name == "wait", pair.count == 2 else { continue }
        if let seconds = Int(pair[1].filter { $0 != " " && $0 != "\"" }), seconds >= 0 {
          return seconds
        }
      }
    }
    return nil
  }
}
