import Relay
import System
import Testing

@testable import Server

@Suite struct HealthCheckTests {
  @Test func `a relay that answers is healthy, and where none listens it says so`() throws {
    let server = try RelayTestServer()
    let address = server.address
    #expect(HealthCheck.failure(at: address) == nil)
    server.stop()
    server.ended()
    #expect(HealthCheck.failure(at: address) == "connect: nobody listens there (ECONNREFUSED)")
  }

  @Test func `another server's refusal is no health`() throws {
    let server = try RelayTestServer { $0.headBytesMax = 16 }
    #expect(HealthCheck.failure(at: server.address)?.hasPrefix("answered \"HTTP/1.1 431") == true)
  }
}
