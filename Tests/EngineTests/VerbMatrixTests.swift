import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Each verb on a message in each state: what the operator hears, what becomes of the message, and
/// what its caller hears of that, also after a crash.
@Suite struct VerbMatrixTests {
  /// Where the message is when the verb comes. In those that end in "ing" a write of it is on its
  /// way: the verb waits for that; one that is not stored yet nobody can name.
  enum Place: String, CaseIterable, Sendable {
    case storing, queued, offered, leased, answering, unreceived, received, withdrawing, closing
    case dead, told, redriving, expired, cancelled, purged
  }

  enum Verb: Int, CaseIterable, Sendable {
    case redrive, replay, cancel, purge, purgeInFlight
  }

  /// What the operator hears, what the message is then, and what its caller has heard by then.
  struct Outcome: Equatable, Sendable, CustomStringConvertible {
    var heard: String
    var state: String
    var caller: String

    var description: String { "\(heard) \(state) \(caller)" }
  }

  static func outcome(_ place: Place, _ verb: Verb) -> Outcome? {
    let key = ["\(place)", "\(verb)"]
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 5, Array(words[..<2]) == key else { continue }
      return Outcome(heard: words[2], state: words[3], caller: words[4])
    }
    return nil
  }

  let bench: Bench

  init() throws { bench = try Bench(limits: Bench.oneAttempt) }

  /// A message on its way into its place.
  private final class Scene {
    let bench: Bench
    let place: Place
    let id: WorkspaceID
    let message: MessageID
    /// The one whose call it is, if he waits for its end.
    let caller: CallID?
    var held: Held?
    /// What brings it from the state before into its place, when the verb has been called.
    var step: () throws -> Void = {}

    init(_ place: Place, _ bench: Bench) throws {
      self.bench = bench
      self.place = place
      id = try bench.create(whenOffline: place == .withdrawing ? .error : .task)
      let isWaiting: Bool
      switch place {
      case .unreceived, .received, .dead, .redriving, .expired: isWaiting = false
      default: isWaiting = true
      }
      let call = try bench.send(id) {
        $0.isBlocking = isWaiting
      }
      bench.turn()
      message = try #require(bench.engine.callers.messageID(of: call))
      caller = isWaiting ? call : nil
      guard place != .storing else { return }
      bench.sync()
      try enter()
    }

    private func enter() throws {
      switch place {
      case .storing, .queued: break
      case .offered: held = try bench.take(id, confirm: true)
      case .leased: held = try bench.take(id)
      case .answering:
        let held = try bench.take(id)
        self.held = held
        step = { [bench, id] in try bench.result(id, held) }
      case .unreceived, .received:
        try bench.result(id, try bench.take(id))
        bench.sync()
        if place == .received { try hear() }
      case .withdrawing: step = { [bench] in bench.advance(.seconds(100)) }
      case .closing:
        held = try bench.take(id)
        step = { [bench, id, message] in
          _ = try bench.cancelTask(id, message.text)
        }
      case .dead: try die()
      case .told: try die()
      case .redriving:
        try die()
        step = { [bench, id, message] in
          bench.engine.operators.redrive(bench.operation(), message, at: id, now: bench.now)
        }
      case .expired:
        bench.wait(bench.limits.timeToLive)
      case .cancelled: #expect(try bench.cancel(id, message).status == 200)
      case .purged: #expect(try purge(.queued) == "done")
      }
    }

    private func die() throws {
      let held = try bench.take(id)
      bench.agent(id, held, .release(delay: nil, reason: ""))
      bench.sync()
    }

    /// Its caller reads how it ended.
    private func hear() throws {
      let get = try bench.getTask(id, message.text)
      bench.sync()
      let reply = try #require(bench.replies[get])
      bench.engine.agents.delivered(reply.receipt, received: true, now: bench.now)
      bench.sync()
    }

    func purge(_ states: MessageFilter.States) throws -> String {
      let reply = try bench.job(id, .purge, states, ids: [message])
      guard reply.status == 202 || reply.status == 200 else { return reply.code ?? "?" }
      let json = try bench.finish(id, reply.json["job"])
      return json["done"]?.int == 1 ? "done" : "skipped"
    }

    /// The verb is called, the step made while its line in the audit is on its way.
    func carryOut(_ verb: Verb) throws -> String {
      if place == .redriving {
        // It waits for a line of its own.
        try step()
        bench.turn()
      }
      let operation = bench.operation()
      let engine = bench.engine
      switch verb {
      case .redrive: engine.operators.redrive(operation, message, at: id, now: bench.now)
      case .replay: engine.operators.replay(operation, message, at: id, now: bench.now)
      case .cancel: engine.operators.cancel(operation, message, at: id, now: bench.now)
      case .purge, .purgeInFlight:
        var filter = MessageFilter()
        filter.states = .every
        if verb == .purge { filter.states.remove(.inFlight) }
        engine.operators.startJob(
          operation,
          JobRequest(verb: .purge, filter: filter, ids: [message], rate: 1000, isDryRun: false),
          at: id, now: bench.now)
      }
      bench.turn()
      if place != .redriving { try step() }
      for _ in 0..<50 where bench.replies[operation.call] == nil { bench.sync() }
      let reply = try #require(bench.replies[operation.call])
      guard let job = reply.json["job"], reply.code == nil else {
        return reply.code ?? reply.json["status"]?.string ?? "?"
      }
      let json = try bench.finish(id, job)
      return json["done"]?.int == 1 ? "done" : "skipped"
    }

    var state: String {
      get throws {
        bench.sync()
        return try bench.timeline(id, message)["state"]?.string ?? "?"
      }
    }

    /// What the caller who waited has been told.
    var callerHeard: String {
      guard let caller, let reply = bench.replies[caller] else { return "-" }
      return reply.state?.replacing("TASK_STATE_", with: "") ?? reply.reason ?? "?"
    }

    /// What a caller who has been told an end gets when he asks again; `nil`: none has been.
    var shownToCaller: String? {
      get throws {
        [.received, .told, .cancelled].contains(place) ? try task : nil
      }
    }

    var task: String? {
      get throws {
        let get = try bench.getTask(id, message.text)
        bench.sync()
        return bench.replies[get]?.state
      }
    }

    /// The agent answers whatever there is; says how many replays that were.
    @discardableResult
    func drain() throws -> Int {
      var replays = 0
      for _ in 0..<4 {
        let poll = bench.poll(id, wait: .zero)
        bench.sync()
        for entry in bench.replies[poll]?.entries ?? [] {
          if entry["replay_of"]?.string == message.text { replays += 1 }
          try bench.result(id, try Held(entry))
          bench.sync()
        }
      }
      return replays
    }
  }

  @Test(arguments: Place.allCases, Verb.allCases)
  func `a verb does what the table says, and that holds`(place: Place, verb: Verb) throws {
    let scene = try Scene(place, bench)
    let known = try scene.shownToCaller
    let outcome = Outcome(
      heard: try scene.carryOut(verb), state: try scene.state, caller: scene.callerHeard)
    #expect(outcome == Self.outcome(place, verb), "\(place) \(verb) \(outcome)")
    if let held = scene.held, place == .offered || place == .leased {
      let result = try bench.result(scene.id, held)
      bench.sync()
      let isHeard = outcome.state == "in_flight"
      #expect(bench.replies[result]?.code == (isHeard ? nil : "closed"))
    }
    let state = try scene.state
    #expect(state == outcome.state || state == "answered" && outcome.state == "in_flight")
    let told = scene.callerHeard
    try bench.restart(isClean: false)
    #expect(try scene.state == state, "after a crash")
    // A caller who was told an end is never told another.
    if outcome.state != "deleted" {
      if let known { #expect(try scene.shownToCaller == known) }
      if ["COMPLETED", "CANCELED", "FAILED"].contains(told) {
        #expect(try scene.task == "TASK_STATE_" + told)
      }
    }
    let copies = try scene.drain()
    #expect(copies == (outcome.heard == "replayed" ? 1 : 0))
    bench.expectNothingHeld()
  }

  @Test(arguments: Place.allCases)
  func `a pause stops deliveries, and neither it nor its end changes a message`(
    place: Place
  ) throws {
    let scene = try Scene(place, bench)
    let operation = bench.operation()
    bench.engine.registry.workspaces.pause(
      operation, at: scene.id, refusesSends: false, now: bench.now)
    bench.turn()
    try scene.step()
    bench.sync()
    #expect(bench.replies[operation.call]?.status == 200)
    let paused = try scene.state
    let poll = bench.poll(scene.id, wait: .zero)
    bench.sync()
    #expect(bench.replies[poll]?.status == 204)
    #expect(try bench.resume(scene.id).status == 200)
    #expect(try scene.state == paused)
    if let held = scene.held, paused == "in_flight" {
      try bench.result(scene.id, held)
      bench.sync()
    }
    try scene.drain()
    let isAnswered = ["queued", "in_flight"].contains(paused)
    #expect(try scene.state == (isAnswered ? "answered" : paused))
    bench.expectNothingHeld()
  }
}

extension MessageFilter.States {
  static var every: Self { Self(named.map(\.state)) }
}

extension VerbMatrixTests {
  /// Place, verb, what the operator hears, the state of the message then, and what its caller has
  /// heard. `purge` names the message and every state but in flight, `purgeInFlight` that too.
  static let table = """
    storing     redrive       not_found     queued    -
    storing     replay        not_found     queued    -
    storing     cancel        not_found     queued    -
    storing     purge         not_found     queued    -
    storing     purgeInFlight not_found     queued    -
    queued      redrive       not_dead      queued    -
    queued      replay        not_ended     queued    -
    queued      cancel        cancelled     cancelled CANCELED
    queued      purge         done          deleted   PURGED
    queued      purgeInFlight done          deleted   PURGED
    offered     redrive       not_dead      in_flight -
    offered     replay        not_ended     in_flight -
    offered     cancel        cancelled     cancelled CANCELED
    offered     purge         skipped       in_flight -
    offered     purgeInFlight done          deleted   PURGED
    leased      redrive       not_dead      in_flight -
    leased      replay        not_ended     in_flight -
    leased      cancel        cancelled     cancelled CANCELED
    leased      purge         skipped       in_flight -
    leased      purgeInFlight done          deleted   PURGED
    answering   redrive       not_dead      answered  COMPLETED
    answering   replay        not_ended     answered  COMPLETED
    answering   cancel        message_ended answered  COMPLETED
    answering   purge         done          deleted   COMPLETED
    answering   purgeInFlight done          deleted   COMPLETED
    unreceived  redrive       not_dead      answered  -
    unreceived  replay        replayed      answered  -
    unreceived  cancel        message_ended answered  -
    unreceived  purge         done          deleted   -
    unreceived  purgeInFlight done          deleted   -
    received    redrive       not_dead      answered  -
    received    replay        replayed      answered  -
    received    cancel        message_ended answered  -
    received    purge         done          deleted   -
    received    purgeInFlight done          deleted   -
    withdrawing redrive       not_dead      cancelled AGENT_OFFLINE
    withdrawing replay        not_ended     cancelled AGENT_OFFLINE
    withdrawing cancel        message_ended cancelled AGENT_OFFLINE
    withdrawing purge         done          deleted   AGENT_OFFLINE
    withdrawing purgeInFlight done          deleted   AGENT_OFFLINE
    closing     redrive       not_dead      cancelled CANCELED
    closing     replay        not_ended     cancelled CANCELED
    closing     cancel        message_ended cancelled CANCELED
    closing     purge         done          deleted   CANCELED
    closing     purgeInFlight done          deleted   CANCELED
    dead        redrive       redriven      queued    -
    dead        replay        replayed      dead      -
    dead        cancel        message_ended dead      -
    dead        purge         done          deleted   -
    dead        purgeInFlight done          deleted   -
    told        redrive       replayed      dead      FAILED
    told        replay        replayed      dead      FAILED
    told        cancel        message_ended dead      FAILED
    told        purge         done          deleted   FAILED
    told        purgeInFlight done          deleted   FAILED
    redriving   redrive       not_dead      queued    -
    redriving   replay        not_ended     queued    -
    redriving   cancel        cancelled     cancelled -
    redriving   purge         done          deleted   -
    redriving   purgeInFlight done          deleted   -
    expired     redrive       not_dead      expired   -
    expired     replay        replayed      expired   -
    expired     cancel        message_ended expired   -
    expired     purge         done          deleted   -
    expired     purgeInFlight done          deleted   -
    cancelled   redrive       not_dead      cancelled CANCELED
    cancelled   replay        replayed      cancelled CANCELED
    cancelled   cancel        message_ended cancelled CANCELED
    cancelled   purge         done          deleted   CANCELED
    cancelled   purgeInFlight done          deleted   CANCELED
    purged      redrive       answer_gone   deleted   PURGED
    purged      replay        answer_gone   deleted   PURGED
    purged      cancel        answer_gone   deleted   PURGED
    purged      purge         answer_gone   deleted   PURGED
    purged      purgeInFlight answer_gone   deleted   PURGED
    """
}
