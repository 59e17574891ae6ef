package import Relay
import System
package import Wire

/// What is to happen with a request whose head is there.
package enum Admission: Sendable {
  /// Read a body of at most so many bytes. The note comes back by `Loop.note(of:)`; it is the
  /// application's own, such as who was recognised. What body and answer take of the memory is
  /// `payer`'s; whoever has used up its share is refused.
  case accept(bodyMax: Int, note: UInt64 = 0, payer: BodyMemory.Payer = .readers)
  /// Answer at once. If there is a body it is not read, and the connection ends with the answer.
  case refuse(HTTPResponse)
}

/// What the loop serves. All calls come on the loop's thread, and none may block.
///
/// In a turn of the loop come, in this order: what the peers did (`admit`, `handle`,
/// `peerHalfClosed`, `peerGone`), `wokenUp`, `turnEnded`. Then the answers leave, and with them may
/// come `delivered`. Answers that `delivered` gives leave in the next turn, which follows at once.
package protocol Application: AnyObject {
  /// The head is in. The body is not, so that authentication comes before it.
  func admit(_ head: HTTPRequestHead, ticket: Ticket, loop: Loop) -> Admission

  /// The whole request is in. The answer comes now, or later, by `Loop.respond`.
  func handle(
    _ head: HTTPRequestHead, body: [UInt8], ticket: Ticket, loop: Loop, now: Now)

  /// The peer of a watched request sends no more; it may still read. Once per request.
  func peerHalfClosed(_ ticket: Ticket)

  /// The connection of a request without an answer has ended. An answer would reach nobody.
  func peerGone(_ ticket: Ticket)

  /// For an answer sent with `receipt: true`, once: the peer's TCP has acknowledged all of it, or
  /// it never will.
  func delivered(_ ticket: Ticket, received: Bool)

  /// All that has arrived in this turn was handed over: commit now. Comes in every turn.
  func turnEnded(now: Now, loop: Loop)

  /// The loop makes a turn at this instant even if nothing arrives.
  var nextDeadline: Instant? { get }

  /// Another thread has signalled `Loop.wakeDescriptor`.
  func wokenUp(now: Now, loop: Loop)

  /// SIGTERM, SIGINT or `stop`: answer or let go of everything that is held. Nothing new is
  /// accepted, but requests that are being read still come.
  func shutdownRequested(now: Now, loop: Loop)

  /// After `shutdownRequested`: nothing is left to do, and no answer is owed.
  var isDrained: Bool { get }
}
