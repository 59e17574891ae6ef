import Testing

@testable import Wire

@Suite struct CryptoHashTests {
  /// FIPS 180-4 examples, the empty message, and a million times "a".
  static let vectors: [(String, Int, String)] = [
    ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
        + "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 1,
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ]

  @Test(arguments: vectors)
  func `SHA-256 gives the published hashes`(text: String, times: Int, hex: String) {
    var message: [UInt8] = []
    for _ in 0..<times { message += text.utf8 }
    #expect(SHA256.hash(message).hex == hex)
  }

  @Test func `a message hashed in two pieces has the same hash`() {
    let message = (0..<200).map { UInt8($0) }
    let whole = SHA256.hash(message)
    for index in message.indices {
      var hash = SHA256()
      hash.update(Array(message[..<index]))
      _ = hash.finalize()
      hash.update(Array(message[index...]))
      #expect(hash.finalize() == whole)
    }
  }

  @Test func `a digest is 32 bytes, and comes back from them`() {
    let digest = SHA256.hash([])
    #expect(digest.bytes.count == 32)
    #expect(SHA256.Digest(digest.bytes) == digest)
    #expect(SHA256.Digest([1]) == nil)
    #expect(Hex.decode(digest.hex) == digest.bytes)
  }

  /// RFC 4231 §4.2 to §4.8: key, data, code; case 5 is cut to 128 bits there.
  static let codes: [([UInt8], [UInt8], String)] = [
    (
      [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      (1...25).map { UInt8($0) }, [UInt8](repeating: 0xCD, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      [UInt8](repeating: 0x0C, count: 20), Array("Test With Truncation".utf8),
      "a3b6167473100ee06e0c796c2955552b"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131),
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131),
      Array(
        ("This is a test using a larger than block-size key and a larger than block-size data. "
          + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ]

  @Test(arguments: codes)
  func `HMAC-SHA-256 gives the codes of RFC 4231`(key: [UInt8], message: [UInt8], hex: String) {
    #expect(HMACSHA256.authenticate(message, key: key).hex.hasPrefix(hex))
  }

  @Test func `a comparison in constant time sees every difference`() {
    let bytes = (0..<32).map { UInt8($0) }
    #expect(ConstantTime.equal(bytes, bytes))
    #expect(ConstantTime.equal([], []))
    #expect(!ConstantTime.equal(bytes, Array(bytes.dropLast())))
    let digest = SHA256.hash(bytes)
    #expect(ConstantTime.equal(digest, SHA256.hash(bytes)))
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 0x80
      #expect(!ConstantTime.equal(bytes, other))
      var otherDigest = digest.bytes
      otherDigest[index] ^= 1
      #expect(SHA256.Digest(otherDigest).map { ConstantTime.equal(digest, $0) } == false)
    }
  }
}
