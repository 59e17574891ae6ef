import CLinux
import Glibc

/// The signals that somebody may send to the relay, as a descriptor.
///
/// To be made before the first other thread exists: a thread inherits the mask, and one that does
/// not block the signals would be ended by them.
package struct Signals: ~Copyable {
  /// A signal that has arrived.
  package struct Arrival: Equatable {
    package var number: Int32
    /// The relay is to end. Other signals mean nothing to it.
    package var ends: Bool
  }

  private let descriptor: FileDescriptor
  private let endsAtHangUp: Bool

  /// Blocks the signals in this thread and its children.
  package init() throws(SystemError) {
    Self.ignoreWriteSignals()
    endsAtHangUp = !Self.isIgnored(SIGHUP) && Self.hasTerminal
    var set = sigset_t()
    sigemptyset(&set)
    for number in Self.ending + Self.others { sigaddset(&set, number) }
    let code = pthread_sigmask(SIG_BLOCK, &set, nil)
    precondition(code == 0, "the set holds only signals that can be blocked")
    descriptor = try FileDescriptor(
      owning: retrying("signalfd") { signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC)) })
  }

  /// SIGXCPU says that the processor time of `RLIMIT_CPU` is used up, before SIGKILL does.
  private static let ending = [SIGTERM, SIGINT, SIGXCPU]

  /// Signals that would end a process that says nothing of them, without a word. SIGQUIT and those
  /// of a crash are left as they are: they leave a core.
  private static let others =
    [
      SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT,
    ] + Array(34...64)

  /// Makes a write to a connection or pipe that nobody reads return EPIPE, and one beyond
  /// `RLIMIT_FSIZE` EFBIG, instead of ending the process.
  package static func ignoreWriteSignals() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Started by `nohup`, for SIGHUP.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Whether the process has a terminal. SIGHUP then says that the terminal was closed; without one
  /// it comes from a log rotation.
  private static var hasTerminal: Bool {
    let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return false }
    close(terminal)
    return true
  }

  package var raw: Int32 { descriptor.raw }

  /// A signal that has arrived, `nil` if none has.
  package func take() -> Arrival? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard read(descriptor.raw, &info, size) == size else { return nil }
    let number = Int32(info.ssi_signo)
    return Arrival(
      number: number, ends: Self.ending.contains(number) || number == SIGHUP && endsAtHangUp)
  }
}
