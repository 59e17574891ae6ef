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

  /// How long a connection that is to end waits for the peer to close it.
  let drain: Int64 = 2_000_000_000
  /// How long nobody is accepted after descriptors ran out, unless one is closed before.
  let acceptPause: Int64 = 100_000_000
  /// The first look whether the peer has acknowledged an answer; doubled up to `receiptMax`.
  let receiptFirst: Int64 = 20_000_000
  let receiptMax: Int64 = 1_000_000_000

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
