import Relay
import TestKit
import Testing

@testable import Wire

@Suite struct HTTPMutationTests {
  static let seeds: [String] = [
    "GET /a?b=c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello worldGET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    "GET http://h:80/p?q HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  ]

  /// Bytes that mean something to a parser; any other byte is as good as `x`.
  static let alphabet = Array("\r\n\t :;,0123456789afAFx*/?#%=\u{0}\u{7F}ä".utf8)

  static func mutate(_ bytes: [UInt8], with numbers: inout Dice) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &numbers) {
      let place = Int.random(in: 0...bytes.count, using: &numbers)
      let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &numbers)]
      switch Int.random(in: 0..<4, using: &numbers) {
      case 0: bytes.insert(byte, at: place)
      case 1 where place < bytes.count: bytes[place] = byte
      case 2 where place < bytes.count: bytes.remove(at: place)
      default: bytes.insert(contentsOf: bytes[(place / 2)..<place], at: place)
      }
    }
    return bytes
  }

  @Test func `mutated input never traps and gives the same steps however it is cut`() {
    var numbers = Dice(seed: TestSeed.value)
    for round in 0..<4000 {
      let original = Self.seeds[round % Self.seeds.count]
      let bytes = Self.mutate(Array(original.utf8), with: &numbers)
      let cut = Int.random(in: 0...bytes.count, using: &numbers)
      let cuts = [[bytes], [Array(bytes[..<cut]), Array(bytes[cut...])], bytes.map { [$0] }]
      let requests = cuts.map { HTTPTestKit.steps(of: $0) }
      let responses = cuts.map {
        HTTPSeen.responses(in: $0, closed: true).map(\.withoutPartialBody)
      }
      guard Set(requests.map(String.init(describing:))).count == 1,
        responses.allSatisfy({ $0 == responses[0] })
      else {
        Issue.record("seed \(TestSeed.value), round \(round): \(Hex.encode(bytes))")
        return
      }
    }
  }
}

extension HTTPSeen {
  /// How much of a body came out before its failure does depend on the pieces.
  var withoutPartialBody: HTTPSeen {
    var seen = self
    if failure != nil { seen.body = [] }
    return seen
  }
}
