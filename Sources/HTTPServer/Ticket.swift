/// One request on one connection: what an answer is addressed to.
///
/// The slot is reused as soon as its connection is closed, and a connection carries one request
/// after another; generation and request make sure that a late answer reaches nobody else.
package struct Ticket: Hashable, Sendable {
  package let slot: UInt32
  package let generation: UInt32
  package let request: UInt32

  /// No two tickets have the same: a generation is one connection's.
  package var number: UInt64 { UInt64(generation) << 32 | UInt64(request) }

  package init(slot: UInt32, generation: UInt32, request: UInt32) {
    self.slot = slot
    self.generation = generation
    self.request = request
  }
}
