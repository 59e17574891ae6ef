import HTTPClient
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
    let failure = HealthCheck.failure(at: address)
    #expect(failure?.hasSuffix("\(address): nobody listens there (ECONNREFUSED)") == true)
  }

  @Test func `another server's refusal is no health`() throws {
    let server = try RelayTestServer { $0.headBytesMax = 16 }
    #expect(HealthCheck.failure(at: server.address)?.hasSuffix("answered 431") == true)
  }

  @Test func `one who takes the connection and says nothing is not waited for`() throws {
    let silent = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    var limits = Limits()
    limits.healthTime = .milliseconds(20)
    #expect(HealthCheck.failure(at: silent.address, limits: limits)?.contains("within") == true)
  }
}
