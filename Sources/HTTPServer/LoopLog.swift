import Relay
import System
import Wire

/// The lines that the loop writes to the log. Those that a stranger can cause are bounded.
struct LoopLog {
  private let log: Log
  private var refusals = LogGate(perSecond: Limits.refusalLinesPerSecondMax)

  init(_ log: Log) { self.log = log }

  func signal(_ arrival: Signals.Arrival) {
    log.info(
      arrival.ends ? "signal" : "signal_ignored", ["number": .number(Int(arrival.number))])
  }

  func shutdownCutOff(connections: Int) {
    log.warning("shutdown_cut_off", ["connections": .number(connections)])
  }

  mutating func acceptPaused(_ reason: StaticString, connections: Int, now: Instant) {
    guard let suppressed = refusals.admits(now: now) else { return }
    log.warning(
      "accept_paused",
      [
        "reason": .text("\(reason)"), "connections": .number(connections),
        "suppressed": .number(suppressed),
      ])
  }

  mutating func malformed(_ failure: HTTPFailure, peer: PeerAddress, now: Instant) {
    guard let suppressed = refusals.admits(now: now) else { return }
    log.info(
      "request_malformed",
      [
        "reason": .text(failure.reason.rawValue), "peer": .text(peer.host),
        "suppressed": .number(suppressed),
      ])
  }
}
