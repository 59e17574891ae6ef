import Relay
import System

/// An open connection: the parts that decide about it, and the notes of the application.
///
/// A parked one takes less than 1 KiB, buffers included.
final class Connection {
  /// About what one takes beside its bytes.
  static let ownBytes = 2048

  /// Also the slot in the loop's table.
  let descriptor: Int32
  let generation: UInt32
  let peer: PeerAddress

  var conversation: Conversation
  var outbox = Outbox()
  var receipts = Receipts()
  var memory = MemoryShare()
  /// The application's own object, of the connection and not of one request.
  var memo: AnyObject?
  var hold = Hold()
  var interest = Interest()
  var discard = Discard()
  var pending: PendingWork.Marks = []
  var isClosed = false

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

  /// Bytes that may be read now. While a request is in work, a little of the next ones is buffered
  /// and no more: the rest waits in the kernel.
  var roomForInput: Int {
    switch conversation.phase {
    case .idle, .head, .body: Limits.readBytesMax
    default: max(0, Limits.pipelinedBytesMax - conversation.bufferedBytes)
    }
  }

  /// The events that epoll is to report. It is level-triggered: an interest in what cannot be taken
  /// now would make every wait return at once.
  var wantedEvents: Poller.Events {
    var wanted: Poller.Events = []
    let isDraining = conversation.phase == .draining
    if !conversation.inputEnded, isDraining || roomForInput > 0 { wanted.insert(.readable) }
    if !conversation.peerHalfClosed, !isDraining { wanted.insert(.peerClosed) }
    if !outbox.isEmpty { wanted.insert(.writable) }
    return wanted
  }
}
