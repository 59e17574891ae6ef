import Foundation
import Glibc
import Testing

@testable import System

/// What a service manager would read.
private struct Ear: ~Copyable {
  let descriptor: FileDescriptor

  /// - `name`: a path; or, with a zero as its first byte, an abstract name.
  init(_ name: [UInt8]) throws {
    let raw = try retrying("socket") { socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0) }
    try Ear.bind(raw, name)
    descriptor = FileDescriptor(owning: raw)
  }

  private static func bind(_ raw: Int32, _ name: [UInt8]) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    _ = try retrying("bind") {
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(raw, $0, length) }
      }
    }
  }

  /// The next datagram, or `nil` if none has come.
  func take() -> String? {
    var bytes = [UInt8](repeating: 0, count: 1000)
    let count = recv(descriptor.raw, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}

@Suite struct NotifyTests {
  private static func path() -> String {
    NSTemporaryDirectory() + "notify-" + UUID().uuidString.prefix(8)
  }

  @Test func `what is sent arrives at a path, each in a datagram of its own`() throws {
    let path = Self.path()
    defer { unlink(path) }
    let ear = try Ear(Array(path.utf8))
    let notify = try Notify(socket: path)
    try notify.send("READY=1\nSTATUS=Listening")
    try notify.send("WATCHDOG=1")
    #expect(ear.take() == "READY=1\nSTATUS=Listening")
    #expect(ear.take() == "WATCHDOG=1")
    #expect(ear.take() == nil)
  }

  @Test func `an abstract socket is written with an at sign`() throws {
    let name = "a2a-notify-" + UUID().uuidString
    let ear = try Ear([0] + Array(name.utf8))
    try Notify(socket: "@" + name).send("READY=1")
    #expect(ear.take() == "READY=1")
  }

  @Test func `nobody at the socket is an error`() throws {
    let notify = try Notify(socket: Self.path())
    #expect(throws: SystemError(call: "sendto NOTIFY_SOCKET", code: ENOENT)) {
      try notify.send("READY=1")
    }
  }

  @Test func `a service manager that does not read is an error and no wait`() throws {
    let path = Self.path()
    defer { unlink(path) }
    let ear = try Ear(Array(path.utf8))
    let notify = try Notify(socket: path)
    // More than any queue of datagrams holds (net.unix.max_dgram_qlen, and the send buffer).
    #expect(throws: SystemError(call: "sendto NOTIFY_SOCKET", code: EAGAIN)) {
      for _ in 0..<100_000 { try notify.send("WATCHDOG=1") }
    }
    #expect(ear.take() == "WATCHDOG=1")
  }

  @Test(arguments: ["relative", "vsock:2:1234", "@", ""])
  func `an address that is none is an error`(address: String) {
    #expect(throws: SystemError(call: "NOTIFY_SOCKET", code: EAFNOSUPPORT)) {
      _ = try Notify(socket: address)
    }
  }

  @Test func `a path that does not fit is an error`() {
    #expect(throws: SystemError(call: "NOTIFY_SOCKET", code: ENAMETOOLONG)) {
      _ = try Notify(socket: "/" + String(repeating: "a", count: 120))
    }
  }
}
