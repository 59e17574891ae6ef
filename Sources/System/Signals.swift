import CLinux
import Glibc

/// SIGTERM and SIGINT as a descriptor.
///
/// To be made before the first other thread exists: a thread inherits the mask, and one that does
/// not block the signals would be ended by them.
package struct Signals: ~Copyable {
  private let descriptor: FileDescriptor

  /// Blocks both signals in this thread and its children, and ignores SIGPIPE: a write to a
  /// connection that the peer has closed returns EPIPE.
  package init() throws(SystemError) {
    signal(SIGPIPE, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    let code = pthread_sigmask(SIG_BLOCK, &set, nil)
    precondition(code == 0, "the set holds two signals that can be blocked")
    descriptor = try FileDescriptor(
      owning: retrying("signalfd") { signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC)) })
  }

  package var raw: Int32 { descriptor.raw }

  /// The number of a signal that has arrived, `nil` if none has.
  package func take() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard read(descriptor.raw, &info, size) == size else { return nil }
    return Int32(info.ssi_signo)
  }
}
