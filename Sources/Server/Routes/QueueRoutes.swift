import Engine
import Relay
import Wire

/// What operators do with one workspace's queue. The handlers read what body and query ask for; the
/// engine carries it out and answers.
struct QueueRoutes {
  let engine: Engine
  let calls: OpenCalls

  func status(_ request: Request) {
    engine.operators.queueStatus(operation(request), at: request.workspace, now: request.now)
  }

  func messages(_ request: Request) {
    operate(request) { operation throws(BatchFault) in
      let page = try page(request.query)
      engine.operators.messages(operation, page, at: request.workspace, now: request.now)
    }
  }

  func cancel(_ request: Request) {
    engine.operators.cancel(
      operation(request), request.message, at: request.workspace, now: request.now)
  }

  func redrive(_ request: Request) {
    engine.operators.redrive(
      operation(request), request.message, at: request.workspace, now: request.now)
  }

  func replay(_ request: Request) {
    engine.operators.replay(
      operation(request), request.message, at: request.workspace, now: request.now)
  }

  /// Does something with many messages, in the background.
  func start(_ verb: JobRow.Verb, _ request: Request) {
    operate(request) { operation throws(BatchFault) in
      let wish = try JobReader(limits: engine.limits)
        .wish(verb, try members(request), request.head.query)
      engine.operators.startJob(operation, wish, at: request.workspace, now: request.now)
    }
  }

  func jobs(_ request: Request) {
    engine.operators.jobs(operation(request), at: request.workspace, now: request.now)
  }

  func job(_ request: Request) {
    engine.operators.job(operation(request), request.job, at: request.workspace, now: request.now)
  }

  func stopJob(_ request: Request) {
    engine.operators.stopJob(
      operation(request), request.job, at: request.workspace, now: request.now)
  }

  func pause(_ request: Request) {
    operate(request) { operation throws(BatchFault) in
      let refuses = try refusesSends(try members(request), request.query)
      engine.registry.workspaces.pause(
        operation, at: request.workspace, refusesSends: refuses, now: request.now)
    }
  }

  func resume(_ request: Request) {
    engine.registry.workspaces.resume(
      operation(request), at: request.workspace, now: request.now)
  }

  /// One message, with all that has happened to it.
  func timeline(_ request: Request) {
    let operation = operation(request)
    engine.operators.timeline(
      operation.call, request.message, at: request.workspace,
      bodies: request.query.first("bodies") == "1", payer: operation.payer, now: request.now)
  }

  // MARK: reading

  private func operation(_ request: Request) -> Operation {
    Operation(
      call: calls.open(request), actor: request.actor, payer: request.shown?.payer ?? .nobody)
  }

  /// Answers with what is wrong with the request, if something is.
  private func operate(
    _ request: Request, _ body: (Operation) throws(BatchFault) -> Void
  ) {
    let operation = operation(request)
    do throws(BatchFault) {
      try body(operation)
    } catch {
      engine.replies.send(Reply(call: operation.call, error: error.error, detail: error.detail))
    }
  }

  private func members(_ request: Request) throws(BatchFault) -> JSON {
    do throws(RelayError) { return try request.object(engine.limits) } catch {
      throw BatchFault(error)
    }
  }

  private func refusesSends(_ json: JSON, _ query: QueryItems) throws(BatchFault) -> Bool {
    let wish = json["sends"]?.string ?? query.first("sends")
    switch wish {
    case nil where json["sends"] == nil, "accept": return false
    case "refuse": return true
    default: throw BatchFault(.badRequest, "sends must be accept or refuse")
    }
  }

  private func page(_ query: QueryItems) throws(BatchFault) -> MessagePage {
    let reader = JobReader(limits: engine.limits)
    let most = engine.limits.listRowsMax
    var page = MessagePage(
      limit: try QueryValue.number("limit", query.first("limit"), 1...most) ?? min(100, most))
    if let text = query.first("after") {
      // The number of a page's end, or a message's id.
      guard let seq = Seq(text) ?? MessageID(text)?.seq, seq >= 0 else {
        throw BatchFault(.badParameter, "after must be the \"next\" of a page, or a message's id")
      }
      page.after = seq
    }
    if let state = query.first("state") {
      page.filter.states = try reader.states([state], JobReader.everyState)
    }
    try reader.readTimes(into: &page.filter) { query.first($0) }
    return page
  }
}
