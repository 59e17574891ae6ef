import Relay
import System

/// The open connections by descriptor, and when each of them is looked at next.
///
/// A descriptor is used again as soon as its connection is closed. Each connection has a generation
/// of its own, so that an event or a ticket of the old one never finds the new one.
struct ConnectionTable {
  private var slots: [Connection?] = []
  private(set) var count = 0
  private var lastGeneration: UInt32 = 0
  private var deadlines = DeadlineHeap()

  /// The earliest instant at which a connection is to be looked at.
  var nextDeadline: Instant? { deadlines.next }

  var all: [Connection] { slots.compactMap { $0 } }

  /// A number that no open connection has; never 0.
  mutating func nextGeneration() -> UInt32 {
    lastGeneration &+= 1
    if lastGeneration == 0 { lastGeneration = 1 }
    return lastGeneration
  }

  mutating func insert(_ connection: Connection) {
    let index = Int(connection.descriptor)
    if slots.count <= index {
      slots.append(contentsOf: repeatElement(nil, count: index + 1 - slots.count))
    }
    precondition(slots[index] == nil, "a descriptor belongs to one open connection")
    slots[index] = connection
    count += 1
  }

  mutating func remove(_ connection: Connection) {
    deadlines.remove(UInt32(connection.descriptor))
    slots[Int(connection.descriptor)] = nil
    count -= 1
  }

  /// The connection with this descriptor, if it still has this generation.
  func connection(_ descriptor: Int, generation: UInt32) -> Connection? {
    guard descriptor < slots.count, let connection = slots[descriptor],
      connection.generation == generation
    else { return nil }
    return connection
  }

  /// The connection whose request the ticket names, while that is the one in work.
  func connection(of ticket: Ticket) -> Connection? {
    guard let connection = connection(Int(ticket.slot), generation: ticket.generation),
      connection.conversation.request == ticket.request
    else { return nil }
    return connection
  }

  /// `popDue` returns the connection at `deadline` or before.
  mutating func schedule(_ connection: Connection, atOrBefore deadline: Instant) {
    deadlines.set(UInt32(connection.descriptor), atOrBefore: deadline)
  }

  /// Takes a connection that was to be looked at by now, the earliest first.
  mutating func popDue(now: Instant) -> Connection? {
    guard let slot = deadlines.popDue(now: now) else { return nil }
    guard let connection = slots[Int(slot)] else {
      preconditionFailure("a closed connection has no deadline")
    }
    return connection
  }
}
