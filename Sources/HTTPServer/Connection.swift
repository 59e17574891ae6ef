import Relay
import System

/// What the loop keeps for one open connection. Parked, it is below 1 KiB, buffers included.
final class Connection {
  /// An answer whose receipt was asked for.
  struct Receipt {
    let request: UInt32
    /// The count of bytes sent on this connection with which the answer is complete.
    let end: Int
  }

  /// What one takes beside its bytes, about.
  static let ownBytes = 2048

  /// Also the slot in the loop's table.
  let descriptor: Int32
  let generation: UInt32
  let peer: PeerAddress

  var conversation: Conversation
  var outbox = Outbox()
  /// Given by the application, not made into bytes yet.
  var answer: HTTPResponse?
  var wantsReceipt = false
  var receipts: [Receipt] = []
  var receiptDue: Instant?
  var receiptDelay: Int64 = 0
  /// Bytes that the peer has acknowledged, as far as is known, and until when it has to acknowledge
  /// more.
  var acknowledged = 0
  var receiptsEnd = Instant(nanoseconds: 0)
  /// Bytes that the kernel has taken, and one for a FIN.
  var sentTotal = 0

  /// The application's own, from its `Admission`.
  var note: UInt64 = 0
  /// The application's own, of the connection and not of one request.
  var memo: AnyObject?
  /// Makes the head fields of a held answer; few are ever committed before they are whole.
  var heldHeaders: (() -> [(String, String)])?

  /// What epoll waits for.
  var interest: Poller.Events = [.readable, .peerClosed]
  var isUnwatched = false
  /// Bytes of the request's body, and of the rest of an answer, that count in the loop's bound.
  var bodyBytes = 0
  var answerBytes = 0
  /// The same of a head that is not whole, and of what follows the request in work.
  var headBytes = 0
  /// Whose share of it they are.
  var payer = BodyMemory.Payer.nobody
  /// While draining: the peer may still be sending; and the bytes thrown away.
  var isDiscarding = false
  var discarded = 0

  /// The application wants to know when the peer half-closes; and has been told.
  var isWatched = false
  var isReported = false
  var sendsWhitespace = false
  var isClosed = false
  /// In the loop's list of connections with something to send, or with input to look at.
  var isDirty = false
  var isReady = false

  init(
    descriptor: Int32, generation: UInt32, peer: PeerAddress, conversation: Conversation
  ) {
    self.descriptor = descriptor
    self.generation = generation
    self.peer = peer
    self.conversation = conversation
  }

  var ticket: Ticket { ticket(of: conversation.request) }

  func ticket(of request: UInt32) -> Ticket {
    Ticket(slot: UInt32(descriptor), generation: generation, request: request)
  }

  var token: Poller.Token { Poller.Token(descriptor: descriptor, generation: generation) }
}
