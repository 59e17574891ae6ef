/// The reason why a message was refused, and its status. The connection cannot be used afterwards:
/// where the next message would begin is no longer known.
package struct HTTPFailure: Error, Equatable, Sendable, CustomStringConvertible {
  package let reason: Reason

  /// The maximum that was passed, for the reasons that have one.
  package let limit: Int?

  package init(_ reason: Reason, limit: Int? = nil) {
    self.reason = reason
    self.limit = limit
  }

  /// Stable names: they are logged, and counted in metrics.
  package enum Reason: String, CaseIterable, Sendable {
    case notHTTP = "not_http"
    case malformedRequestLine = "malformed_request_line"
    case malformedStatusLine = "malformed_status_line"
    case malformedTarget = "malformed_target"
    case malformedField = "malformed_field"
    case bareLineBreak = "bare_line_break"
    case foldedField = "folded_field"
    case hostCount = "host_count"
    case malformedHost = "malformed_host"
    case malformedContentLength = "malformed_content_length"
    case repeatedContentLength = "repeated_content_length"
    case lengthAndEncoding = "length_and_encoding"
    case encodingInHTTP10 = "encoding_in_http_1_0"
    case malformedChunk = "malformed_chunk"
    case chunkLineTooLong = "chunk_line_too_long"
    case bodyTooLarge = "body_too_large"
    case targetTooLong = "target_too_long"
    case unknownExpectation = "unknown_expectation"
    case headTooLarge = "head_too_large"
    case tooManyHeaders = "too_many_headers"
    case trailersTooLarge = "trailers_too_large"
    case unsupportedEncoding = "unsupported_encoding"
    case tunnel = "tunnel"
    case unsupportedVersion = "unsupported_version"
    case unaskedUpgrade = "unasked_upgrade"
    case truncated = "truncated"
  }

  /// The status to answer a request with. For a failed *response* only the reason means anything.
  package var status: Int {
    switch reason {
    case .bodyTooLarge: 413
    case .targetTooLong: 414
    case .unknownExpectation: 417
    case .headTooLarge, .tooManyHeaders, .trailersTooLarge: 431
    case .unsupportedEncoding, .tunnel: 501
    case .unsupportedVersion: 505
    default: 400
    }
  }

  package var description: String { "\(reason.rawValue): \(text)" }

  /// One sentence for the person at the other end: what was wrong, and what is allowed.
  package var text: String {
    let most = limit.map { "; at most \($0) are allowed" } ?? ""
    return switch reason {
    case .notHTTP:
      "The first byte cannot begin an HTTP request; this port speaks plain HTTP/1.1, not TLS."
    case .malformedRequestLine:
      "The request line must be: method, one space, target, one space, HTTP/1.1."
    case .malformedStatusLine: "The status line must be: HTTP/1.1, one space, three digits."
    case .malformedTarget:
      "The target must be a path or an http URL of visible ASCII characters without a fragment."
    case .malformedField:
      "A header field must be: name, colon, value, without space before the colon or controls."
    case .bareLineBreak: "Lines end with CR LF; a lone CR or LF is not allowed."
    case .foldedField: "A header field must be on one line; it cannot start with a space or tab."
    case .hostCount: "HTTP/1.1 requires exactly one Host field."
    case .malformedHost: "The Host field must hold a host and an optional port, nothing else."
    case .malformedContentLength: "Content-Length must be one decimal number without a sign."
    case .repeatedContentLength: "Content-Length was given more than once; it is allowed once."
    case .lengthAndEncoding:
      "Content-Length and Transfer-Encoding were both given; only one of them is allowed."
    case .encodingInHTTP10: "Transfer-Encoding is not allowed in HTTP/1.0."
    case .malformedChunk:
      "A chunk must be: size in hexadecimal, CR LF, that many bytes, CR LF."
    case .chunkLineTooLong: "A chunk-size line has too many bytes\(most)."
    case .bodyTooLarge: "The body has too many bytes\(most)."
    case .targetTooLong: "The request target has too many bytes\(most)."
    case .unknownExpectation: "The only expectation that can be met is 100-continue."
    case .headTooLarge: "The start line and header fields have too many bytes\(most)."
    case .tooManyHeaders: "There are too many header fields\(most)."
    case .trailersTooLarge: "The trailer fields have too many bytes\(most)."
    case .unsupportedEncoding: "The only Transfer-Encoding that can be read is chunked."
    case .tunnel: "CONNECT is not supported: this server does not open tunnels."
    case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
    case .unaskedUpgrade: "The server switched protocols although nobody asked it to."
    case .truncated: "The connection ended before the message did."
    }
  }
}
