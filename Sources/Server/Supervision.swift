import Glibc
import HTTPServer
import Relay
import System

/// What a service manager is told (sd_notify(3)): that the relay is ready, that it still turns,
/// that it is stopping.
///
/// The sign of life leaves at the end of a turn of the loop and never from another thread: a loop
/// that is stuck must fall silent, which is when the service manager starts the relay again.
struct Supervision {
  /// Sends to the service manager; hands back what went wrong.
  typealias Send = (String) -> SystemError?

  private let send: Send
  private let log: Log
  /// Between two signs of life; `nil` if nobody waits for them.
  private let interval: Duration?
  private(set) var nextSign: Instant?

  /// `watchdog` is what `WATCHDOG_USEC` says. A third of it: one sign may be lost.
  init(watchdog: Duration?, log: Log, send: @escaping Send) {
    interval = watchdog.map { $0 / 3 }
    self.log = log
    self.send = send
  }

  /// As the environment says; `nil` without `NOTIFY_SOCKET`.
  init?(environment: (String) -> String?, process: Int32, log: Log) throws(SystemError) {
    guard let socket = environment("NOTIFY_SOCKET"), !socket.isEmpty else { return nil }
    let notify = Shared(notify: try Notify(socket: socket))
    let watchdog = Supervision.watchdog(environment, process: process)
    self.init(watchdog: watchdog, log: log) { text in
      do throws(SystemError) { try notify.notify.send(text) } catch { return error }
      return nil
    }
  }

  /// sd_watchdog_enabled(3): the watchdog is meant for `WATCHDOG_PID`, if that is set.
  static func watchdog(_ environment: (String) -> String?, process: Int32) -> Duration? {
    if let meant = environment("WATCHDOG_PID"), Int32(meant) != process { return nil }
    guard let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text),
      microseconds > 0
    else { return nil }
    return .microseconds(microseconds)
  }

  /// It listens, and what was on disk has been looked at.
  mutating func ready(at address: String, now: Instant) {
    tell("READY=1\nSTATUS=Listening on \(address)")
    if let interval { nextSign = now + interval }
  }

  /// The end of a turn.
  mutating func turned(now: Instant) {
    guard let interval, let due = nextSign, due <= now else { return }
    tell("WATCHDOG=1")
    nextSign = now + interval
  }

  func stopping() { tell("STOPPING=1") }

  private func tell(_ text: String) {
    guard let error = send(text) else { return }
    // The service manager draws its own conclusion from silence.
    log.warning("notify_failed", ["error": .text(error.description)])
  }

  /// A closure cannot own what cannot be copied.
  private final class Shared {
    let notify: Notify
    init(notify: consuming Notify) { self.notify = notify }
  }
}
