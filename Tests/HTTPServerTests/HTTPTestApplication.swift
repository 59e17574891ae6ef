import Foundation
import Relay
import System
import Wire

@testable import HTTPServer

/// What an application under test was told, in order; tests wait for it with a limit.
final class HTTPEvents: @unchecked Sendable {
  enum Event: Equatable, Sendable {
    case handled(String, Ticket)
    case halfClosed(Ticket)
    case gone(Ticket)
    case delivered(Ticket, Bool)
    case answered(Bool)
    case shutdown
    case ended(LoopCounters)
  }

  struct Missing: Error { let seen: [Event] }

  // Every access is under the condition's lock.
  private let condition = NSCondition()
  private var events: [Event] = []

  func record(_ event: Event) {
    condition.withLock {
      events.append(event)
      condition.broadcast()
    }
  }

  /// The first thing that `match` finds in the events so far and to come.
  func wait<Found>(_ match: (Event) -> Found?) throws -> Found {
    let end = Date(timeIntervalSinceNow: 20)
    return try condition.withLock {
      while true {
        for event in events { if let found = match(event) { return found } }
        if !condition.wait(until: end) { throw Missing(seen: events) }
      }
    }
  }

  func wait(for event: Event) throws { _ = try wait { $0 == event ? true : nil } }

  /// The ticket of the `nth` request for `path`.
  func ticket(_ path: String, _ nth: Int = 0) throws -> Ticket {
    let end = Date(timeIntervalSinceNow: 20)
    return try condition.withLock {
      while true {
        let tickets = events.compactMap { event in
          if case .handled(path, let ticket) = event { ticket } else { nil }
        }
        if nth < tickets.count { return tickets[nth] }
        if !condition.wait(until: end) { throw Missing(seen: events) }
      }
    }
  }

  var all: [Event] { condition.withLock { events } }
}

/// Commands of the tests, carried out on the loop's thread.
final class HTTPCommands: @unchecked Sendable {
  typealias Command = @Sendable (Loop) -> Void

  // Every access is under the lock.
  private let lock = NSLock()
  private var commands: [Command] = []
  private let wakeDescriptor: Int32

  init(wakeDescriptor: Int32) { self.wakeDescriptor = wakeDescriptor }

  func perform(_ command: @escaping Command) {
    lock.withLock { commands.append(command) }
    Wakeup.signal(wakeDescriptor)
  }

  func take() -> [Command] {
    lock.withLock {
      defer { commands = [] }
      return commands
    }
  }
}

/// Answers by the path of the request. What the paths of `handle` do not name is answered with the
/// method, the path and the body.
final class HTTPTestApplication: Application {
  static let bigBody = [UInt8](
    unsafeUninitializedCapacity: 10 * 1024 * 1024
  ) { buffer, count in
    for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index / 251) }
    count = buffer.count
  }

  let events: HTTPEvents
  var commands: HTTPCommands?
  var parked: [Ticket] = []

  init(events: HTTPEvents) { self.events = events }

  func admit(_ head: HTTPRequestHead, ticket: Ticket, loop: Loop) -> Admission {
    switch head.path {
    case "/refuse": .refuse(.json(401, Array("{\"error\":\"no\"}".utf8)))
    case "/small": .accept(bodyMax: 10)
    default: .accept(bodyMax: loop.limits.http.bodyBytesMax)
    }
  }

  func handle(_ head: HTTPRequestHead, body: [UInt8], ticket: Ticket, loop: Loop, now: Now) {
    events.record(.handled(head.path, ticket))
    switch head.path {
    case "/park":
      parked.append(ticket)
      loop.watchPeer(ticket)
    case "/hold":
      parked.append(ticket)
      loop.hold(ticket, whitespace: true, headers: [("X-Held", "yes")])
    case "/late": parked.append(ticket)
    case "/big": loop.respond(ticket, .json(200, HTTPTestApplication.bigBody), receipt: true)
    case "/receipt": loop.respond(ticket, .json(200, Array("{}".utf8)), receipt: true)
    case "/unread":
      loop.respond(ticket, .json(200, [UInt8](repeating: 32, count: 60_000)), receipt: true)
    case let path where path.hasPrefix("/turn/"):
      loop.respond(ticket, .json(200, Array("\(loop.counters.turns)".utf8)))
    case "/empty": loop.respond(ticket, .empty(204))
    default:
      let text = "\(head.method) \(head.path) " + String(decoding: body, as: UTF8.self)
      loop.respond(
        ticket, HTTPResponse(status: 200, contentType: "text/plain", body: Array(text.utf8)))
    }
  }

  func peerHalfClosed(_ ticket: Ticket) { events.record(.halfClosed(ticket)) }

  func peerGone(_ ticket: Ticket) {
    parked.removeAll { $0 == ticket }
    events.record(.gone(ticket))
  }

  func delivered(_ ticket: Ticket, received: Bool) { events.record(.delivered(ticket, received)) }
  func turnEnded(now: Now, loop: Loop) {}
  var nextDeadline: Instant? { nil }

  func wokenUp(now: Now, loop: Loop) {
    for command in commands?.take() ?? [] { command(loop) }
  }

  func shutdownRequested(now: Now, loop: Loop) {
    events.record(.shutdown)
    for ticket in parked { loop.respond(ticket, .empty(204)) }
    parked = []
  }

  var isDrained: Bool { parked.isEmpty }
}
