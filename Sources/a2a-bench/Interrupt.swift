import Glibc

/// SIGINT and SIGTERM end a run like an error does: the relay is stopped, the files are removed.
enum Interrupt {
  /// Holds both back, to be asked for; before the first measurement.
  static func hold() {
    var set = signals()
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Throws once one of them has been sent.
  static func check() throws(BenchError) {
    var pending = sigset_t()
    sigpending(&pending)
    if sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 {
      throw .failed("interrupted")
    }
  }

  private static func signals() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    return set
  }
}
