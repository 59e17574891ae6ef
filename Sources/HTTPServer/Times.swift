import Relay

/// The time-outs of a connection in nanoseconds, taken from `Limits` once.
struct Times {
  let head: Int64
  let body: Int64
  let anonymousBody: Int64
  let idle: Int64
  let write: Int64
  let keepAlive: Int64
  let shutdown: Int64
  let shutdownRequest: Int64

  let drain = Limits.drainTime.nanoseconds
  let acceptPause = Limits.acceptPause.nanoseconds
  let receiptFirst = Limits.receiptLookFirst.nanoseconds
  let receiptMax = Limits.receiptLookMax.nanoseconds

  init(_ limits: Limits) {
    head = limits.headTime.nanoseconds
    body = limits.bodyTime.nanoseconds
    anonymousBody = limits.anonymousBodyTime.nanoseconds
    idle = limits.idleTime.nanoseconds
    write = limits.writeTime.nanoseconds
    keepAlive = limits.keepAlive.nanoseconds
    shutdown = limits.shutdownTime.nanoseconds
    shutdownRequest = min(limits.shutdownRequestTime, limits.shutdownTime).nanoseconds
  }
}

extension Instant {
  func after(_ nanoseconds: Int64) -> Instant {
    Instant(nanoseconds: self.nanoseconds + nanoseconds)
  }
}
