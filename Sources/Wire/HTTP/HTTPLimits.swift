/// The most that one HTTP message may take before it is refused; memory per connection follows.
package struct HTTPLimits: Sendable, Equatable {
  /// Bytes of the start line and all header fields together; also of one trailer section. Cookies
  /// and tokens of real clients stay below 16 KiB; twice that leaves room for a proxy's additions.
  package var headBytesMax = 32 * 1024

  /// Bytes of a body. Larger payloads belong behind a link in the message, not inside a queue.
  package var bodyBytesMax = 10 * 1024 * 1024

  /// Limit: Header fields of one message, also trailer fields; more is 431. Every field costs 16
  /// bytes of index and a look at each lookup.
  package var headersMax = 128

  /// Limit: Bytes of a request target; more is 414. RFC 9112 §3 asks for at least 8,000 for the
  /// whole request line.
  package var targetBytesMax = 8 * 1024

  /// Limit: Bytes of one chunk-size line with its extensions and CRLF. RFC 9112 §7.1.1 asks to
  /// limit the extensions, which carry nothing.
  package var chunkLineBytesMax = 256

  package init() {}
}
