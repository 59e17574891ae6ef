import Engine
import HTTPServer
import Relay
import System
import Wire

extension RelayServer {
  /// The long poll.
  func poll(
    _ id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    let query = QueryItems(head.query)
    let wish: PollWish
    do throws(BatchFault) {
      wish = try PollWish(limits: limits) { query.first($0) }
    } catch {
      return fail(ticket, error.error, error.detail)
    }
    let call = open(ticket, .poll(id))
    loop.watchPeer(ticket)
    let poll = makePoll(wish, call, ticket, loop, now: now)
    guard engine.replies.isTurnFull else { return engine.poll(poll, at: id, now: now) }
    engine.replies.later(for: engine.payer(of: .workspace(id))) { [unowned self] now in
      // Its peer may have gone meanwhile.
      if calls.isWaiting(call) { engine.poll(poll, at: id, now: now) }
    }
  }

  private func makePoll(
    _ wish: PollWish, _ call: CallID, _ ticket: Ticket, _ loop: Loop, now: Now
  ) -> Poll {
    if wish.consumer != nil { calls.rememberNamed(call, ticket) }
    return Poll(
      id: call, max: wish.max, bytesMax: limits.pollBytesMax, lease: wish.lease,
      confirm: wish.confirm,
      consumer: wish.consumer ?? loop.peer(of: ticket).map { "\($0)" } ?? "",
      isNamed: wish.consumer != nil, deadline: min(now.instant + wish.wait, tokenEnd(now)))
  }

  /// Nothing is handed to a poll after its token has ended.
  private func tokenEnd(_ now: Now) -> Instant {
    shown?.expires.map { now.instant(at: $0) } ?? .distantFuture
  }

  func agentCall(
    _ id: WorkspaceID, _ message: MessageID, _ verb: Route.Verb, _ head: HTTPRequestHead,
    _ body: [UInt8], _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    do throws(BatchFault) {
      let lease = head.headers.first("x-relay-lease")
      let fence = try AgentCallReader.fence(lease, body)
      let verb = try AgentCallReader.verb(verb, body, limits)
      engine.agentCall(
        AgentCall(
          call: open(ticket, .other), workspace: id, message: message, fence: fence, verb: verb),
        now: now)
    } catch {
      fail(ticket, error.error, error.detail)
    }
  }

  func batch(
    _ id: WorkspaceID, _ body: [UInt8], _ head: HTTPRequestHead, _ ticket: Ticket, _ loop: Loop,
    now: Now
  ) throws(RelayError) {
    // Each result in it is judged by itself.
    let items: [Range<Int>]
    let wish: PollWish?
    do throws(BatchFault) {
      (items, wish) = try AgentCallReader.batch(body, limits)
    } catch {
      return fail(ticket, error.error, error.detail)
    }
    let call = open(ticket, wish == nil ? .other : .poll(id))
    if wish != nil { loop.watchPeer(ticket) }
    var parts: [(CallID, Result<AgentCall, BatchFault>)] = []
    for range in items {
      let part = engine.nextCall()
      do throws(BatchFault) {
        let agent = try AgentCallReader.part(at: range, of: body, id, part, limits)
        parts.append((part, .success(agent)))
      } catch {
        parts.append((part, .failure(error)))
      }
    }
    let poll = wish.map { makePoll($0, call, ticket, loop, now: now) }
    guard poll != nil, engine.replies.isTurnFull else {
      return engine.batch(call, parts, poll: poll, at: id, now: now)
    }
    engine.replies.later(for: engine.payer(of: .workspace(id))) { [unowned self] now in
      // If its peer has gone meanwhile, its calls count all the same.
      let isThere = calls.isWaiting(call)
      engine.batch(call, parts, poll: isThere ? poll : nil, at: id, now: now)
    }
  }

  func register(
    _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    // Whose it is decides before anything is made of the card.
    let known = identity(bearer(head), ticket, now: now)
    guard let id = AgentCallReader.workspace(of: body) else {
      _ = try object(body)
      return fail(ticket, .badRequest, "member \"id\" must be a UUID")
    }
    try engine.registry.workspaces.checkRegistration(
      of: id, by: known, mode: registration, now: now)
    let json = try object(body)
    let card = json["agent_card"]
    let bytes = card?.bytes ?? []
    let url = json["url"]?.string ?? ""
    guard bytes.count + url.utf8.count <= limits.cardBytesMax else {
      return fail(ticket, .badRequest, "agent_card and url: at most \(limits.cardBytesMax) bytes")
    }
    guard !URLUser.isIn(url) else {
      return fail(ticket, .badRequest, "url has a user name or password in it; write it without")
    }
    if let card, !card.isNull {
      do throws(AgentCardError) {
        try AgentCard.check(card)
      } catch {
        return fail(ticket, .badRequest, "agent_card: \(error.description)")
      }
    }
    engine.registry.workspaces.register(
      open(ticket, .other),
      Registration(
        id: id, card: card, cardBytes: card?.isNull == true ? [] : bytes,
        url: url, wantsPush: json["delivery_mode"]?.string == "push",
        origin: origin(head, ticket, now: now)),
      identity: known, mode: registration, now: now)
  }

  /// Who registers. Where it comes from is told of claims, which show no credential.
  private func origin(_ head: HTTPRequestHead, _ ticket: Ticket, now: Now) -> TokenOrigin {
    guard bearer(head) == nil else { return TokenOrigin(by: actor(head, ticket, now: now)) }
    return TokenOrigin(
      by: "anonymous", from: loop?.peer(of: ticket)?.host ?? "",
      via: String((head.headers.first("x-forwarded-for") ?? "").prefix(Limits.forwardedForMax)))
  }

  func heartbeat(
    _ head: HTTPRequestHead, _ body: [UInt8], _ ticket: Ticket, _ loop: Loop, now: Now
  ) throws(RelayError) {
    guard case .workspace(let own) = identity(bearer(head), ticket, now: now)
    else { throw .notFound }
    let json = try object(body)
    if let named = json["workspace_id"], !named.isNull {
      guard let text = named.string else {
        return fail(ticket, .badRequest, "member \"workspace_id\" must be a string")
      }
      guard WorkspaceID(text) == own else { throw .notFound }
    }
    do throws(BadSetting) {
      engine.registry.beat(own, try Vitals(json, at: now.wall))
    } catch {
      return fail(ticket, .badRequest, error.text)
    }
    let call = open(ticket, .other)
    engine.heartbeat(own, Reply(call: call, body: Array("{\"status\":\"ok\"}".utf8)), now: now)
  }

  /// A body that must be a JSON object; an empty one is an empty object.
  func object(_ body: [UInt8]) throws(RelayError) -> JSON {
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

  /// For what a misspelt wish would make for good: a credential without an end, say. Answers for
  /// the first member that is not known, by its name.
  func knows(_ json: JSON, only known: [String], _ ticket: Ticket) -> Bool {
    guard let member = json.object?.first(where: { !known.contains($0.key) }) else { return true }
    let list = known.joined(separator: ", ")
    fail(ticket, .badRequest, "\"\(member.key)\" is not known; allowed are \(list)")
    return false
  }

  func fail(_ ticket: Ticket, _ error: RelayError, _ detail: String?) {
    calls.fail(ticket, error, detail)
  }
}

extension RelayError {
  /// Why a body could not be read.
  init(_ error: JSONError) { self = error.problem == .tooManyValues ? .tooManyValues : .badJSON }
}

/// What a poll asks for, within the limits.
struct PollWish {
  var wait: Duration
  var max: Int
  var lease: Duration
  var confirm: Bool
  var consumer: String?

  static let names = ["wait", "max", "lease", "confirm", "consumer"]

  init(limits: Limits, _ value: (String) -> String?) throws(BatchFault) {
    func number(_ name: String, _ range: ClosedRange<Int>) throws(BatchFault) -> Int? {
      guard let text = value(name) else { return nil }
      guard let number = Int(text), range.contains(number) else {
        throw BatchFault(
          .badParameter, "\(name) must be \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    let seconds = Int(limits.pollWaitMax.components.seconds)
    let leaseSeconds = Int(limits.leaseMax.components.seconds)
    wait =
      try number("wait", 0...86400).map { .seconds(min($0, seconds)) } ?? limits.pollWaitDefault
    max = try number("max", 1...limits.batchMax) ?? 1
    lease = try number("lease", 1...leaseSeconds).map { .seconds($0) } ?? limits.lease
    confirm = try number("confirm", 0...1) == 1
    consumer = value("consumer")
    if let consumer, consumer.isEmpty || consumer.utf8.count > limits.nameBytesMax {
      throw BatchFault(.badParameter, "consumer must have 1 to \(limits.nameBytesMax) bytes")
    }
  }
}
