import Engine
import Wire

/// The part of a request's head that is stored with a message, for agents that speak plain HTTP.
///
/// Credentials and fields of one connection are dropped. So is the whole query: no method of A2A
/// has one, and people put tokens into it.
enum StoredHead {
  /// Returns method, path and fields as the members of a JSON object.
  ///
  /// - `caller`: who the credential belongs to, for the field `X-Relay-Caller`.
  /// - `credentials`: names of header fields that the agent's card declares, in lower case.
  static func json(
    _ head: HTTPRequestHead, from caller: Identity, besides credentials: Set<String>
  ) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    writer.key("method")
    writer.string(head.method)
    writer.key("path")
    writer.string(head.path)
    writer.key("headers")
    writer.beginArray()
    writer.beginArray()
    writer.string("X-Relay-Caller")
    writer.string(caller.text)
    writer.endArray()
    head.headers.forEachPair { name, value in
      if isDropped(name.span) { return }
      if !credentials.isEmpty {
        let text = String(decoding: name, as: UTF8.self)
        if credentials.contains(text.lowercased()) { return }
      }
      writer.beginArray()
      writer.string(utf8: name)
      writer.string(utf8: value)
      writer.endArray()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// Whether a field is dropped. The length of its name tells which names it could be.
  private static func isDropped(_ name: Span<UInt8>) -> Bool {
    // A caller's X-Relay-* headers say nothing: the relay alone says who calls.
    if name.count >= 8, spells(name.extracting(0..<8), "x-relay-") { return true }
    switch name.count {
    case 2: return spells(name, "te")
    case 4: return spells(name, "host")
    case 6: return spells(name, "cookie") || spells(name, "expect")
    // A referrer, and what proxies call the original URL, may have a query too.
    case 7:
      return spells(name, "trailer") || spells(name, "upgrade") || spells(name, "referer")
    case 10: return spells(name, "connection") || spells(name, "keep-alive")
    case 13: return spells(name, "authorization") || spells(name, "x-rewrite-url")
    case 14:
      return spells(name, "content-length") || spells(name, "x-original-url")
        || spells(name, "x-original-uri")
    case 15: return spells(name, "x-forwarded-uri")
    case 16: return spells(name, "content-encoding")
    case 17: return spells(name, "transfer-encoding")
    case 19: return spells(name, "proxy-authorization")
    default: return false
    }
  }

  /// `word` is in lower case; the name has as many bytes.
  private static func spells(_ name: Span<UInt8>, _ word: String) -> Bool {
    var index = 0
    for byte in word.utf8 {
      let there = name[index]
      let isUpper = there >= UInt8(ascii: "A") && there <= UInt8(ascii: "Z")
      guard (isUpper ? there | 0x20 : there) == byte else { return false }
      index += 1
    }
    return true
  }
}
