/// One or more queues in numbers, for operators.
package struct QueueDepth: Sendable, Equatable {
  package var unanswered = 0
  /// The part of `unanswered` that an agent has, or is about to be given.
  package var inFlight = 0
  package var unreceived = 0
  /// Dead messages that are kept, whether or not their caller has had a reply.
  package var dead = 0
  package var interrupted = 0
  package var bytes = 0
  /// When the oldest unanswered message was accepted, and when the oldest end came to be that
  /// nobody has received.
  package var oldestUnanswered: WallTime?
  package var oldestUnreceived: WallTime?

  package init() {}

  init(_ counts: QueueCounts, deadInFile: Int) {
    unanswered = counts.unanswered
    unreceived = counts.unreceived
    dead = counts.dead + deadInFile
    interrupted = counts.interrupted
  }

  package var counts: QueueCounts {
    QueueCounts(
      unanswered: unanswered, unreceived: unreceived, dead: dead, interrupted: interrupted)
  }

  package static func += (total: inout QueueDepth, more: QueueDepth) {
    total.unanswered += more.unanswered
    total.inFlight += more.inFlight
    total.unreceived += more.unreceived
    total.dead += more.dead
    total.interrupted += more.interrupted
    total.bytes += more.bytes
    total.oldestUnanswered = earlier(total.oldestUnanswered, more.oldestUnanswered)
    total.oldestUnreceived = earlier(total.oldestUnreceived, more.oldestUnreceived)
  }

  private static func earlier(_ left: WallTime?, _ right: WallTime?) -> WallTime? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
  }
}
