import Glibc

/// A descriptor by which another thread wakes the loop: eventfd.
package struct Wakeup: ~Copyable {
  private let descriptor: FileDescriptor

  package init() throws(SystemError) { descriptor = try .wakeup() }

  package var raw: Int32 { descriptor.raw }

  package func signal() { Wakeup.signal(descriptor.raw) }

  /// Wakes whoever waits for `descriptor`, from any thread. Signals before the loop looks are one.
  package static func signal(_ descriptor: Int32) {
    var one: UInt64 = 1
    // EAGAIN would mean 2⁶⁴ − 1 signals are waiting: it is awake.
    _ = write(descriptor, &one, 8)
  }

  /// Takes what was signalled, so that the descriptor is no longer readable.
  package func drain() {
    var count: UInt64 = 0
    _ = read(descriptor.raw, &count, 8)
  }
}
