import CLinux
import Glibc

/// The service manager's ear: datagrams to `$NOTIFY_SOCKET` (sd_notify(3)). Without that variable
/// there is nobody to tell, and nothing is made.
package struct Notify: ~Copyable {
  private let descriptor: FileDescriptor
  /// `sun_path`: a path, or an abstract name, whose first byte is zero.
  private let name: [UInt8]

  /// `address` is the variable's value: a path, or `@name` for an abstract socket.
  package init(socket address: String) throws(SystemError) {
    let name = try Notify.name(address)
    // Never blocking: a service manager that does not read must not stop the loop.
    let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let raw = try retrying("socket") { Glibc.socket(AF_UNIX, type, 0) }
    self.name = name
    descriptor = FileDescriptor(owning: raw)
  }

  private static func name(_ address: String) throws(SystemError) -> [UInt8] {
    var name = Array(address.utf8)
    // systemd also knows vsock addresses, for virtual machines, which this is not.
    guard name.count > 1, name[0] == UInt8(ascii: "/") || name[0] == UInt8(ascii: "@") else {
      throw SystemError(call: "NOTIFY_SOCKET", code: EAFNOSUPPORT)
    }
    guard name.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
      throw SystemError(call: "NOTIFY_SOCKET", code: ENAMETOOLONG)
    }
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    return name
  }

  /// Sends lines such as `READY=1`, all in one datagram.
  package func send(_ text: String) throws(SystemError) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    // The length says where an abstract name ends; a path may end with it, too (unix(7)).
    let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + name.count } ?? 0
    let bytes = Array(text.utf8)
    _ = try retrying("sendto NOTIFY_SOCKET") {
      withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          Int32(
            sendto(
              descriptor.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), address,
              socklen_t(length)))
        }
      }
    }
  }
}
