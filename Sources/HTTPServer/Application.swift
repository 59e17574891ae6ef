package import Relay
import System
package import Wire

/// What the application wants done with a request whose head has arrived.
package enum Admission: Sendable {
  /// Read a body of at most `bodyMax` bytes. Body and answer count as the payer's memory; a payer
  /// whose share is used up is refused.
  case accept(bodyMax: Int, payer: BodyMemory.Payer = .readers)
  /// Answer at once. If there is a body it is not read, and the connection ends with the answer.
  case refuse(HTTPResponse)
}

/// The application that the loop serves. All calls come on the loop's thread, and none may block.
///
/// The calls of one turn come in this order: what the peers did (`admit`, `handle`,
/// `peerHalfClosed`, `peerGone`), `wokenUp`, `turnEnded`. Then the answers leave, and `delivered`
/// may come with them. Answers given during `delivered` leave in the next turn, which follows at
/// once.
package protocol Application: AnyObject {
  /// The head has arrived and the body has not: authentication comes before the body.
  func admit(_ head: HTTPRequestHead, ticket: Ticket, loop: Loop) -> Admission

  /// The whole request has arrived. It is answered by `Loop.respond`, now or later.
  func handle(
    _ head: HTTPRequestHead, body: [UInt8], ticket: Ticket, loop: Loop, now: Now)

  /// The peer of a watched request sends no more; it may still read. Called once per request.
  func peerHalfClosed(_ ticket: Ticket)

  /// The connection of an unanswered request has ended. An answer would reach nobody.
  func peerGone(_ ticket: Ticket)

  /// The peer's TCP has acknowledged all of an answer, or it never will. Called once for each
  /// answer that was sent with `receipt: true`.
  func delivered(_ ticket: Ticket, received: Bool)

  /// Everything that arrived in this turn was handed over: commit now. Called in every turn.
  func turnEnded(now: Now, loop: Loop)

  /// The instant at which the loop makes a turn even if nothing arrives.
  var nextDeadline: Instant? { get }

  /// Another thread has signalled `Loop.wakeDescriptor`.
  func wokenUp(now: Now, loop: Loop)

  /// SIGTERM, SIGINT or `stop` has come: answer or let go of everything that is held. No connection
  /// is accepted any more, but requests that are being read are still handed over.
  func shutdownRequested(now: Now, loop: Loop)

  /// Nothing is left to do and no answer is owed. Asked after `shutdownRequested`.
  var isDrained: Bool { get }
}
