import Engine
import HTTPServer
import Relay
import Wire

/// What agents do with their inbox: they poll it, and claim, extend, release or answer what they
/// were given, one by one or in batches.
struct InboxRoutes {
  let engine: Engine
  let calls: OpenCalls

  /// The long poll.
  func poll(_ request: Request) {
    let query = request.query
    let wish: PollWish
    do throws(BatchFault) {
      wish = try PollWish(limits: engine.limits) { query.first($0) }
    } catch {
      return calls.fail(request, error)
    }
    let id = request.workspace
    let call = calls.open(request, .poll(id))
    request.watchPeer()
    let poll = makePoll(wish, call, request)
    guard engine.replies.isTurnFull else {
      return engine.agents.poll(poll, at: id, now: request.now)
    }
    engine.replies.later(for: engine.payer(of: .workspace(id))) {
      [unowned engine, unowned calls] now in
      // The peer may have gone meanwhile.
      if calls.isWaiting(call) { engine.agents.poll(poll, at: id, now: now) }
    }
  }

  private func makePoll(_ wish: PollWish, _ call: CallID, _ request: Request) -> Poll {
    if wish.consumer != nil { calls.rememberNamed(call, request.ticket) }
    // Nothing is delivered to a poll after its token has ended.
    let tokenEnd = request.shown?.expires.map { request.now.instant(at: $0) } ?? .distantFuture
    return Poll(
      id: call, max: wish.max, bytesMax: engine.limits.pollBytesMax, lease: wish.lease,
      confirm: wish.confirm, consumer: wish.consumer ?? request.peer.map { "\($0)" } ?? "",
      isNamed: wish.consumer != nil, deadline: min(request.now.instant + wish.wait, tokenEnd))
  }

  /// One action on one message.
  func act(_ action: InboxAction, _ request: Request) {
    do throws(BatchFault) {
      let lease = request.head.headers.first("x-relay-lease")
      let fence = try AgentCallReader.fence(lease, request.body)
      let verb = try AgentCallReader.verb(action, request.body, engine.limits)
      engine.agents.call(
        AgentCall(
          call: calls.open(request), workspace: request.workspace, message: request.message,
          fence: fence, verb: verb),
        now: request.now)
    } catch {
      calls.fail(request, error)
    }
  }

  /// Several actions and a poll in one request. Each action is judged by itself.
  func batch(_ request: Request) {
    let id = request.workspace
    let items: [Range<Int>]
    let wish: PollWish?
    do throws(BatchFault) {
      (items, wish) = try AgentCallReader.batch(request.body, engine.limits)
    } catch {
      return calls.fail(request, error)
    }
    let call = calls.open(request, wish == nil ? .other : .poll(id))
    if wish != nil { request.watchPeer() }
    let parts = items.map { part(at: $0, request) }
    let poll = wish.map { makePoll($0, call, request) }
    guard poll != nil, engine.replies.isTurnFull else {
      return engine.agents.batch(call, parts, poll: poll, at: id, now: request.now)
    }
    engine.replies.later(for: engine.payer(of: .workspace(id))) {
      [unowned engine, unowned calls] now in
      // If the peer has gone meanwhile, its actions count all the same.
      let isThere = calls.isWaiting(call)
      engine.agents.batch(call, parts, poll: isThere ? poll : nil, at: id, now: now)
    }
  }

  private func part(
    at range: Range<Int>, _ request: Request
  ) -> (CallID, Result<AgentCall, BatchFault>) {
    let part = engine.nextCall()
    do throws(BatchFault) {
      let call = try AgentCallReader.part(
        at: range, of: request.body, request.workspace, part, engine.limits)
      return (part, .success(call))
    } catch {
      return (part, .failure(error))
    }
  }
}
