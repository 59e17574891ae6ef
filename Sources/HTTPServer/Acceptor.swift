import System

/// The listening socket until shutdown, and whether connections are taken from it.
final class Acceptor {
  let address: SocketAddress
  var pause = AcceptPause()
  private var listener: Listener?

  init(_ listener: consuming Listener) {
    address = listener.address
    self.listener = consume listener
  }

  /// `nil` after `close`.
  var descriptor: Int32? { listener?.raw }

  /// Takes one connection; `nil` after `close`.
  func accept() -> Listener.Accepted? { listener?.accept() }

  /// Refuses whoever comes from now on.
  func close() {
    listener = nil
    pause.cancel()
  }
}
