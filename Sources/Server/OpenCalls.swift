import API
import Engine
import HTTPServer
import Relay
import Wire

/// The requests that the engine will answer, and the answers whose receipt it wants to hear of.
final class OpenCalls {
  enum Kind {
    case send
    /// A long poll of the workspace's agent.
    case poll(WorkspaceID)
    case other
  }

  private struct Call {
    var ticket: Ticket
    var kind: Kind
    /// How a JSON-RPC caller is answered.
    var addressee: Addressee?
    var isCrossOrigin = false
    /// The caller showed no credential: a receipt shows later that it sent the message.
    var isAnonymous = false
    /// The token that a poll was parked with.
    var token: TokenUse?
  }

  private let engine: Engine
  let renderer: Renderer
  private var open: [CallID: Call] = [:]
  /// The open calls, by the number of their ticket.
  private var calls: [UInt64: CallID] = [:]
  /// What the engine is told when an answer has arrived, by the number of its ticket.
  private var receipts: [UInt64: Reply.Receipt] = [:]
  private var namedPolls = NamedPolls()

  init(_ engine: Engine) {
    self.engine = engine
    renderer = Renderer(urls: engine.registry.urls, engine.limits)
  }

  var isEmpty: Bool { open.isEmpty }

  // MARK: requests

  /// Opens a call for a request: the engine answers it by this id.
  func open(_ request: Request, _ kind: Kind = .other) -> CallID {
    let call = engine.nextCall()
    var token: TokenUse?
    if case .poll = kind { token = request.shown?.use }
    open[call] = Call(ticket: request.ticket, kind: kind, token: token)
    calls[request.ticket.number] = call
    return call
  }

  /// Notes how the caller of an open call is answered.
  func setAddressee(
    _ addressee: Addressee, of call: CallID, isAnonymous: Bool, isCrossOrigin: Bool
  ) {
    open[call]?.addressee = addressee
    open[call]?.isAnonymous = isAnonymous
    open[call]?.isCrossOrigin = isCrossOrigin
  }

  /// Remembers the connection of a poll by a consumer that has named itself.
  func rememberNamed(_ poll: PollID, _ ticket: Ticket) { namedPolls.add(poll, ticket) }

  /// Answers a request with an error.
  func fail(_ request: Request, _ error: RelayError, _ detail: String?) {
    engine.replies.send(Reply(call: open(request), error: error, detail: detail))
  }

  func fail(_ request: Request, _ fault: BatchFault) { fail(request, fault.error, fault.detail) }

  /// Whether the poll's peer is there, and its token has not been revoked.
  func isWaiting(_ poll: CallID) -> Bool {
    open[poll].map { $0.token?.isRevoked != true } ?? false
  }

  /// Whether the connection of a named poll has ended.
  func isGone(_ poll: PollID, _ loop: Loop) -> Bool {
    namedPolls.ticket(of: poll).map { !loop.isConnected($0) } ?? false
  }

  // MARK: peers

  /// Ends a poll whose peer sends no more. A send is kept: some clients half-close after the
  /// request and still read the answer.
  func peerHalfClosed(_ ticket: Ticket, _ loop: Loop?, now: Now) {
    guard let call = calls[ticket.number], case .poll = open[call]?.kind else { return }
    peerGone(ticket, now: now)
    loop?.abandon(ticket)
  }

  /// Forgets a request whose connection has ended.
  func peerGone(_ ticket: Ticket, now: Now) {
    guard let call = calls.removeValue(forKey: ticket.number),
      let known = open.removeValue(forKey: call)
    else { return }
    switch known.kind {
    case .poll(let id):
      namedPolls.remove(call)
      engine.agents.pollGone(call, at: id, now: now)
    case .send: engine.callers.callerGone(call, now: now)
    case .other: break
    }
  }

  /// Ends the polls whose token has been revoked.
  func endRevokedPolls(now: Now) {
    for (call, known) in open where known.token?.isRevoked == true {
      guard case .poll(let id) = known.kind else { continue }
      open[call]?.token = nil
      engine.agents.pollRefused(call, at: id, now: now)
    }
  }

  // MARK: answers

  func send(_ reply: Reply, _ loop: Loop) {
    guard let known = open.removeValue(forKey: reply.call) else {
      // The peer has gone: nobody will receive the answer.
      return engine.agents.delivered(reply.receipt, received: false, now: loop.now)
    }
    calls[known.ticket.number] = nil
    namedPolls.answered(reply, by: engine)
    let rendered = renderer.response(to: reply)
    var response = HTTPResponse(rendered)
    if let id = reply.messageID {
      response.headers += messageHeaders(id, isAnonymous: known.isAnonymous)
    }
    if !rendered.headers.isEmpty { response.headers += rendered.headers }
    if known.isCrossOrigin { response.headers += CrossOrigin.headers }
    if case .none = reply.receipt { return loop.respond(known.ticket, response) }
    receipts[known.ticket.number] = reply.receipt
    loop.respond(known.ticket, response, receipt: true)
  }

  /// Returns the response fields with which a sender asks for its message later.
  func messageHeaders(_ id: MessageID, isAnonymous: Bool) -> [(String, String)] {
    let name = ("X-Relay-Message-Id", id.text)
    return isAnonymous ? [name, ("X-Relay-Receipt", engine.receipt(of: id))] : [name]
  }

  /// Tells the engine whether an answer has arrived.
  func delivered(_ ticket: Ticket, received: Bool, now: Now) {
    guard let receipt = receipts.removeValue(forKey: ticket.number) else { return }
    engine.agents.delivered(receipt, received: received, now: now)
  }

  /// Answers every open call with `outcomeUnknown`, after a final error.
  func failAll(_ loop: Loop) {
    for (call, known) in open {
      var reply: Reply
      if let addressee = known.addressee {
        reply = addressee.reply(.outcomeUnknown)
        reply.messageID = engine.callers.messageID(of: call)
      } else {
        reply = Reply(call: call, error: .outcomeUnknown)
      }
      reply.receipt = .none
      send(reply, loop)
    }
  }
}

/// Response fields for callers that are web pages of another origin. Credentials are headers, never
/// cookies, so every origin may call.
enum CrossOrigin {
  static let headers = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "X-Relay-Message-Id, X-Relay-Receipt, Retry-After"),
  ]
}
