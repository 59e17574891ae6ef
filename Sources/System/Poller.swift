import CLinux
import Glibc

/// Waits for many descriptors at once: epoll, level-triggered.
///
/// Every registration carries the descriptor **and a generation**: the kernel gives the number of a
/// closed descriptor to the next one, and an event for the old must not reach the new.
package struct Poller: ~Copyable {
  /// Which registration an event belongs to.
  package struct Token: Hashable, Sendable {
    package var descriptor: Int32
    package var generation: UInt32

    package init(descriptor: Int32, generation: UInt32) {
      self.descriptor = descriptor
      self.generation = generation
    }

    init(bits: UInt64) {
      descriptor = Int32(truncatingIfNeeded: bits)
      generation = UInt32(truncatingIfNeeded: bits >> 32)
    }

    var bits: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
  }

  /// The events that are waited for, or have happened. `failed` and `hungUp` are always waited for.
  package struct Events: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Events(rawValue: EPOLLIN.rawValue)
    package static let writable = Events(rawValue: EPOLLOUT.rawValue)
    /// The peer will send no more (FIN); it may still read.
    package static let peerClosed = Events(rawValue: EPOLLRDHUP.rawValue)
    /// An error is pending on the socket; mostly the peer's RST.
    package static let failed = Events(rawValue: EPOLLERR.rawValue)
    /// Both directions are closed.
    package static let hungUp = Events(rawValue: EPOLLHUP.rawValue)
  }

  private let descriptor: FileDescriptor
  private let buffer: UnsafeMutableBufferPointer<epoll_event>

  /// At most `eventsMax` events come out of one wait; the others come out of the next.
  package init(eventsMax: Int) throws(SystemError) {
    descriptor = try .poll()
    buffer = .allocate(capacity: eventsMax)
    buffer.initialize(repeating: epoll_event())
  }

  deinit { buffer.deallocate() }

  package func add(_ token: Token, _ events: Events) throws(SystemError) {
    try control(EPOLL_CTL_ADD, token, events)
  }

  package func modify(_ token: Token, _ events: Events) throws(SystemError) {
    try control(EPOLL_CTL_MOD, token, events)
  }

  /// Closing a descriptor removes it too, unless a duplicate of it is open.
  package func remove(_ token: Token) throws(SystemError) {
    try control(EPOLL_CTL_DEL, token, [])
  }

  /// Waits until something happens (`milliseconds` −1), or only looks (0). Returns how many events
  /// there are to take with `event(_:)`.
  package func wait(milliseconds: Int32) throws(SystemError) -> Int {
    let base = buffer.baseAddress
    let capacity = Int32(buffer.count)
    return Int(
      try retrying("epoll_wait") {
        epoll_wait(descriptor.raw, base, capacity, milliseconds)
      })
  }

  package func event(_ index: Int) -> (token: Token, events: Events) {
    let event = buffer[index]
    return (Token(bits: event.data.u64), Events(rawValue: event.events))
  }

  private func control(_ operation: Int32, _ token: Token, _ events: Events) throws(SystemError) {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.u64 = token.bits
    _ = try retrying("epoll_ctl") {
      epoll_ctl(descriptor.raw, operation, token.descriptor, &event)
    }
  }
}
