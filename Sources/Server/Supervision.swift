import Glibc
import HTTPServer
import Relay
import System

/// Tells a service manager (sd_notify(3)) that the relay is ready, that its loop still turns, and
/// that it is stopping.
///
/// The sign of life leaves at the end of a turn of the loop and never from another thread: a loop
/// that is stuck must fall silent, which is when the service manager starts the relay again.
struct Supervision {
  /// Sends a text to the service manager; returns what went wrong.
  typealias Send = (String) -> SystemError?

  private let send: Send
  private let log: Log
  /// The time between two signs of life; `nil` if nobody waits for them.
  private let interval: Duration?
  private(set) var nextSign: Instant?

  /// - `watchdog`: what `WATCHDOG_USEC` says. A sign leaves three times as often: one may be lost.
  init(watchdog: Duration?, log: Log, send: @escaping Send) {
    interval = watchdog.map { $0 / 3 }
    self.log = log
    self.send = send
  }

  /// Reads the environment; `nil` without `NOTIFY_SOCKET`.
  init?(environment: (String) -> String?, process: Int32, log: Log) throws(SystemError) {
    guard let socket = environment("NOTIFY_SOCKET"), !socket.isEmpty else { return nil }
    let notify = Shared(notify: try Notify(socket: socket))
    let watchdog = Supervision.watchdog(environment, process: process)
    self.init(watchdog: watchdog, log: log) { text in
      do throws(SystemError) { try notify.notify.send(text) } catch { return error }
      return nil
    }
  }

  /// Returns the time after which the service manager restarts a silent process, if it does
  /// (sd_watchdog_enabled(3)): the watchdog is for the process `WATCHDOG_PID`, if that is set.
  static func watchdog(_ environment: (String) -> String?, process: Int32) -> Duration? {
    if let meant = environment("WATCHDOG_PID"), Int32(meant) != process { return nil }
    guard let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text),
      microseconds > 0
    else { return nil }
    return .microseconds(microseconds)
  }

  /// The relay listens, and has read what was on the disk.
  mutating func ready(at address: String, now: Instant) {
    tell("READY=1\nSTATUS=Listening on \(address)")
    if let interval { nextSign = now + interval }
  }

  /// A turn has ended: a sign of life leaves if one is due.
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
