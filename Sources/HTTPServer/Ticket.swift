/// The address of an answer: one request on one connection.
///
/// A slot is used again as soon as its connection is closed, and a connection carries one request
/// after another. Generation and request make sure that a late answer reaches nobody else.
package struct Ticket: Hashable, Sendable {
  package let slot: UInt32
  package let generation: UInt32
  package let request: UInt32

  /// A number that no other ticket has, because each connection has its own generation.
  package var number: UInt64 { UInt64(generation) << 32 | UInt64(request) }

  package init(slot: UInt32, generation: UInt32, request: UInt32) {
    self.slot = slot
    self.generation = generation
    self.request = request
  }
}
