import Testing

@testable import Wire

@Suite struct CryptoCodecTests {
  /// RFC 4648 §10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func `base64 gives the texts of RFC 4648`(text: String, encoded: String) {
    let bytes = Array(text.utf8)
    #expect(Base64.encode(bytes) == encoded)
    #expect(Base64.decode(encoded) == bytes)
    let bare = String(encoded.prefix { $0 != "=" })
    #expect(Base64.encodeURL(bytes) == bare)
    #expect(Base64.decodeURL(bare) == bytes)
  }

  @Test func `the URL alphabet differs in two characters`() {
    let bytes: [UInt8] = [0xFB, 0xFF, 0xFE]
    #expect(Base64.encode(bytes) == "+//+" && Base64.encodeURL(bytes) == "-__-")
    #expect(Base64.decode("+//+") == bytes && Base64.decodeURL("-__-") == bytes)
    #expect(Base64.decode("-__-") == nil && Base64.decodeURL("+//+") == nil)
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v ", "Zm\n9v", "=", "====", "Z===", "Zg==Zg==",
    "Zmä",
  ])
  func `base64 that encode would not have written is refused`(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test(arguments: ["Z", "Zg==", "Zh", "Zm9", "Zm9v\n", "Z.9v"])
  func `base64url that encodeURL would not have written is refused`(text: String) {
    #expect(Base64.decodeURL(text) == nil)
  }

  @Test func `every byte at every place comes back`() {
    for byte in UInt8.min...UInt8.max {
      for bytes in [[byte], [byte, 1], [1, byte], [1, 2, byte]] {
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
        #expect(Hex.decode(Hex.encode(bytes)) == bytes)
      }
    }
  }

  @Test func `hexadecimal is pairs of digits in either case`() {
    #expect(Hex.encode([0x00, 0xAF]) == "00af")
    #expect(Hex.decode("00aF") == [0x00, 0xAF])
    #expect(Hex.decode("") == [])
    #expect(Hex.decode("0") == nil && Hex.decode("0g") == nil && Hex.decode("0x00") == nil)
  }
}
