import System
import Testing

@Suite struct SocketAddressTests {
  @Test(arguments: [
    "127.0.0.1:8080", "0.0.0.0:0", "[::1]:0", "[::]:65535", "[2001:db8::1]:443",
  ]) func `an address is written as it is read`(text: String) {
    #expect(SocketAddress(text)?.description == text)
  }

  @Test(arguments: [
    "", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
    "127.0.0.1:+1", "::1:80", "[::1]", "[127.0.0.1]:80", "example.org:80", "1.2.3:80",
    "127.0.0.1:80 ", "127.0.0.1:８０",
  ]) func `what is not an address and a port is refused`(text: String) {
    #expect(SocketAddress(text) == nil)
  }

  @Test func `loopback is known in both families`() {
    #expect(SocketAddress("127.3.2.1:1")?.isLoopback == true)
    #expect(SocketAddress("[::1]:1")?.isLoopback == true)
    #expect(SocketAddress("localhost:1")?.isLoopback == true)
    #expect(SocketAddress("0.0.0.0:1")?.isLoopback == false)
    #expect(SocketAddress("[::]:1")?.isLoopback == false)
    #expect(SocketAddress("128.0.0.1:1")?.isLoopback == false)
  }
}
