import Engine
import Relay

/// What a poll asks for, within the limits.
struct PollWish {
  var wait: Duration
  var max: Int
  var lease: Duration
  var confirm: Bool
  var consumer: String?

  static let names = ["wait", "max", "lease", "confirm", "consumer"]

  /// - `value`: the text of the query's item, or of the body's member, of this name.
  init(limits: Limits, _ value: (String) -> String?) throws(BatchFault) {
    func number(_ name: String, _ range: ClosedRange<Int>) throws(BatchFault) -> Int? {
      try QueryValue.number(name, value(name), range)
    }
    let seconds = Int(limits.pollWaitMax.components.seconds)
    let leaseSeconds = Int(limits.leaseMax.components.seconds)
    wait =
      try number("wait", 0...86400).map { .seconds(min($0, seconds)) } ?? limits.pollWaitDefault
    max = try number("max", 1...limits.batchMax) ?? 1
    lease = try number("lease", 1...leaseSeconds).map { .seconds($0) } ?? limits.lease
    confirm = try number("confirm", 0...1) == 1
    consumer = value("consumer")
    if let consumer, consumer.isEmpty || consumer.utf8.count > limits.nameBytesMax {
      throw BatchFault(.badParameter, "consumer must have 1 to \(limits.nameBytesMax) bytes")
    }
  }
}
