/// HMAC with SHA-256: RFC 2104, tested with RFC 4231.
package struct HMACSHA256: Sendable {
  private var inner = SHA256()
  private var outer = SHA256()

  package init(key: [UInt8]) {
    // RFC 2104 §2: a key longer than a block is hashed first, a shorter one filled with zeros.
    let key = key.count > SHA256.blockBytes ? SHA256.hash(key).bytes : key
    let padded = key + [UInt8](repeating: 0, count: SHA256.blockBytes - key.count)
    inner.update(padded.map { $0 ^ 0x36 })
    outer.update(padded.map { $0 ^ 0x5C })
  }

  package mutating func update(_ bytes: [UInt8]) { inner.update(bytes) }

  package func finalize() -> SHA256.Digest {
    var outer = outer
    outer.update(inner.finalize().bytes)
    return outer.finalize()
  }

  package static func authenticate(_ message: [UInt8], key: [UInt8]) -> SHA256.Digest {
    var code = HMACSHA256(key: key)
    code.update(message)
    return code.finalize()
  }
}
