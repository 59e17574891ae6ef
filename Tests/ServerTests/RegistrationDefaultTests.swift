import Engine
import System
import Testing

@testable import Commands
@testable import Server

/// Who may register when the operator has not said so.
@Suite struct RegistrationDefaultTests {
  private func mode(_ listen: String, _ arguments: [String] = []) throws -> RegistrationMode {
    let address = try #require(SocketAddress(listen))
    return try ServeOptions(arguments: arguments) { _ in nil }.registration(listening: address)
  }

  @Test func `claims are taken on loopback, where no proxy stands in front`() throws {
    for listen in ["127.0.0.1:80", "[::1]:80", "127.9.9.9:1"] {
      #expect(try mode(listen) == .claim)
      for url in [
        "http://localhost", "http://localhost:8080/a", "http://127.0.0.1:8080", "http://127.0.0.2",
        "https://[::1]", "http://[::1]:80/x",
      ] {
        #expect(try mode(listen, ["--public-url", url]) == .claim, "\(url)")
      }
      for url in [
        "https://relay.example", "https://relay.example:8443/a", "http://10.0.0.1",
        "http://localhost.example", "http://127.0.0.1.example", "http://[2001:db8::1]:80",
      ] {
        #expect(try mode(listen, ["--public-url", url]) == .closed, "\(url)")
      }
    }
    for listen in ["0.0.0.0:80", "10.0.0.1:80", "[::]:80"] {
      #expect(try mode(listen) == .closed)
      #expect(try mode(listen, ["--public-url", "http://localhost"]) == .closed)
    }
  }

  @Test func `what the operator says counts`() throws {
    for wanted in RegistrationMode.allCases {
      for listen in ["127.0.0.1:80", "0.0.0.0:80"] {
        let arguments = ["--registration", wanted.rawValue, "--public-url", "https://a.example"]
        #expect(try mode(listen, arguments) == wanted)
      }
    }
  }
}
