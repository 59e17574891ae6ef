/// The start line and header fields of one request, checked.
package struct HTTPRequestHead: Equatable, Sendable {
  /// The method as sent; methods are case-sensitive (RFC 9110 §9.1).
  package let method: String

  /// The request target exactly as sent.
  package let target: String

  /// The path, still percent-encoded; `*` only with OPTIONS.
  package let path: String

  /// The part behind the first `?`, still encoded; nil without one.
  package let query: String?

  /// The host of an absolute-form target, which counts instead of the Host field (RFC 9112 §3.2.2).
  package let authority: String?

  package let headers: HTTPHeaders

  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  package let minor: Int

  /// Whether the client will send another request on this connection.
  package let keepAlive: Bool

  package let framing: HTTPFraming

  /// The client waits for `100 Continue` before it sends the body.
  package let expectsContinue: Bool

  init(line: HTTPRequestLine, headers: HTTPHeaders, limits: HTTPLimits) throws(HTTPFailure) {
    let control = HTTPControlFields(headers)
    try Self.checkHost(control, headers, minor: line.minor)
    method = line.method
    target = line.target
    path = line.path
    query = line.query
    authority = line.authority
    minor = line.minor
    self.headers = headers
    keepAlive = HTTPControlFields.keepAlive(headers, minor: line.minor)
    // RFC 9112 §6.3 (7): a request without either field has no body.
    framing = try control.framing(of: headers, minor: line.minor) ?? .none
    if case .length(let length) = framing, length > limits.bodyBytesMax {
      throw HTTPFailure(.bodyTooLarge, limit: limits.bodyBytesMax)
    }
    expectsContinue = try Self.expectsContinue(control, headers, line.minor) && framing != .none
  }

  /// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0.
  private static func checkHost(_ control: HTTPControlFields, _ headers: HTTPHeaders, minor: Int)
    throws(HTTPFailure)
  {
    guard control.hosts == 1 || (control.hosts == 0 && minor == 0) else {
      throw HTTPFailure(.hostCount)
    }
    guard let host = control.host else { return }
    guard headers.storage[host].allSatisfy(HTTPCharacter.isAuthority) else {
      throw HTTPFailure(.malformedHost)
    }
  }

  /// RFC 9110 §10.1.1: an unknown expectation is 417; HTTP/1.0 has none, whatever it says.
  private static func expectsContinue(
    _ control: HTTPControlFields, _ headers: HTTPHeaders, _ minor: Int
  ) throws(HTTPFailure) -> Bool {
    guard let expectation = control.expectation, minor > 0 else { return false }
    guard control.expectations == 1, headers.spells(expectation, "100-continue") else {
      throw HTTPFailure(.unknownExpectation)
    }
    return true
  }
}
