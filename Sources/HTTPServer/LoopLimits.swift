import Relay
import Wire

/// The bounds that the loop enforces, taken from `Limits` once.
struct LoopLimits {
  let http: HTTPLimits
  let times: Times
  let connectionsMax: Int
  let turnBodyBytesMax: Int
  let memoryKeptMax: Int

  init(_ limits: Limits) {
    var http = HTTPLimits()
    http.headBytesMax = limits.headBytesMax
    http.bodyBytesMax = limits.bodyBytesMax
    self.http = http
    times = Times(limits)
    connectionsMax = limits.connectionsMax
    turnBodyBytesMax = limits.turnBodyBytesMax
    memoryKeptMax = limits.memoryKeptMax
  }
}
