import Foundation
import HTTPTestKit
import Relay
import System
import Wire

@testable import HTTPServer

/// A loop on a thread of its own, on a port that the kernel chose.
final class HTTPTestServer: Sendable {
  let address: SocketAddress
  let events: HTTPEvents
  let commands: HTTPCommands
  private let stopDescriptor: Int32

  private struct Start: Sendable {
    let address: SocketAddress
    let wakeDescriptor: Int32
    let stopDescriptor: Int32
  }

  private final class Starting: @unchecked Sendable {
    // Written before the semaphore is signalled, read after it was waited for.
    var result: Result<Start, any Error>?
    var commands: HTTPCommands?
    let semaphore = DispatchSemaphore(value: 0)
  }

  /// `prepare` runs on the loop's thread before it serves.
  init(
    _ limits: Limits = Limits(), signals: Bool = false,
    prepare: @escaping @Sendable (Loop) throws -> Void = { _ in }
  ) throws {
    let events = HTTPEvents()
    let starting = Starting()
    let thread = Thread {
      do {
        let application = HTTPTestApplication(events: events)
        let loop = try Loop(
          listener: Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0)), limits: limits,
          log: Log(level: .error), application: application, signals: signals ? Signals() : nil)
        try prepare(loop)
        application.commands = HTTPCommands(wakeDescriptor: loop.wakeDescriptor)
        starting.commands = application.commands
        starting.result = .success(
          Start(
            address: loop.address, wakeDescriptor: loop.wakeDescriptor,
            stopDescriptor: loop.stopDescriptor))
        starting.semaphore.signal()
        try loop.run()
        events.record(.ended(loop.counters))
      } catch {
        starting.result = .failure(error)
        starting.semaphore.signal()
      }
    }
    thread.start()
    starting.semaphore.wait()
    guard let result = starting.result, let commands = starting.commands else {
      throw HTTPTestClient.Failure.notServed
    }
    let start = try result.get()
    address = start.address
    stopDescriptor = start.stopDescriptor
    self.events = events
    self.commands = commands
  }

  /// Asks the loop to stop; it is then waited for with `ended`.
  func stop() { Wakeup.signal(stopDescriptor) }

  func ended() throws -> LoopCounters {
    try events.wait { if case .ended(let counters) = $0 { counters } else { nil } }
  }

  func respond(_ ticket: Ticket, _ text: String, receipt: Bool = false) {
    commands.perform { $0.respond(ticket, .json(200, Array(text.utf8)), receipt: receipt) }
  }

  deinit {
    stop()
    // The descriptors belong to the loop: it must be over before another test can be given them.
    _ = try? ended()
  }
}

extension HTTPTestClient {
  /// A small receive buffer makes the server feel a slow reader early.
  convenience init(_ server: HTTPTestServer, receiveBuffer: Int32? = nil) throws {
    try self.init(to: server.address, receiveBuffer: receiveBuffer)
  }
}
