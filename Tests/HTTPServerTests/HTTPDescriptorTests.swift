import Foundation
import Glibc
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPDescriptorTests {
  @Test func `more connections than allowed wait for a place`() throws {
    var limits = Limits()
    limits.connectionsMax = 2
    let server = try HTTPTestServer(limits)
    let first = try HTTPTestClient(server)
    let second = try HTTPTestClient(server)
    #expect(try first.get("/1").status == 200)
    #expect(try second.get("/2").status == 200)
    let third = try HTTPTestClient(server)
    try third.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try first.get("/4").status == 200)
    first.close()
    #expect(try third.answer().text == "GET /3 ")
    server.stop()
    #expect(try server.ended().acceptsPaused > 0)
  }

  @Test func `the server outlives the end of descriptors and does not spin`() async {
    // In a process of its own: the limit is the process's.
    await #expect(processExitsWith: .exitCode(0)) {
      let server = try HTTPTestServer()
      // The loop stands still while the clients take every descriptor there is but two.
      let standing = DispatchSemaphore(value: 0)
      let going = DispatchSemaphore(value: 0)
      server.commands.perform { _ in
        standing.signal()
        going.wait()
      }
      standing.wait()
      try DescriptorLimit.lower(to: 200)
      var taken: [Int32] = []
      while case let descriptor = open("/dev/null", O_RDONLY), descriptor >= 0 {
        taken.append(descriptor)
      }
      for descriptor in taken.suffix(10) { close(descriptor) }
      var clients: [HTTPTestClient] = []
      while let client = try? HTTPTestClient(server) { clients.append(client) }
      guard clients.count == 10 else { exit(3) }
      for client in clients.suffix(2) { client.close() }
      going.signal()
      for client in clients.dropLast(2) {
        try client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        guard try client.answer().status == 200 else { exit(4) }
        client.close()
      }
      server.stop()
      let counters = try server.ended()
      exit(counters.acceptsPaused > 0 && counters.turns < 1000 ? 0 : 5)
    }
  }
}
