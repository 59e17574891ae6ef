/// A whole response. The loop adds framing, date and connection fields.
package struct HTTPResponse: Sendable {
  package var status: Int
  /// The fields in the order in which they are sent, `Server` included.
  package var headers: [(String, String)]
  package var body: [UInt8]
  /// The connection is closed after this response, whatever the peer asked for.
  package var closes = false

  package static let server = ("Server", "a2a-relay")

  /// Its status allows no body (RFC 9110 §15.3.5, §15.4.5).
  var isBodyless: Bool { status == 204 || status == 304 }

  // Shared by all responses of their kind: a list of fields costs an allocation.
  private static let bareHeaders = [server]
  private static let jsonHeaders = [server, ("Content-Type", "application/json")]

  private init(shared headers: [(String, String)], status: Int, body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package init(
    status: Int, contentType: String? = nil, headers: [(String, String)] = [], body: [UInt8] = []
  ) {
    self.init(shared: HTTPResponse.bareHeaders, status: status, body: body)
    if let contentType { self.headers.append(("Content-Type", contentType)) }
    self.headers += headers
  }

  /// Returns a response with a JSON text that has been encoded before.
  package static func json(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(shared: jsonHeaders, status: status, body: body)
  }

  /// Returns a response without a body, such as 204.
  package static func empty(_ status: Int) -> HTTPResponse {
    HTTPResponse(shared: bareHeaders, status: status, body: [])
  }

  /// Returns `{"error":…,"code":…}`. Both are texts of this program, without anything to escape.
  package static func error(_ status: Int, _ text: String, code: String) -> HTTPResponse {
    .json(status, Array("{\"error\":\"\(text)\",\"code\":\"\(code)\"}\n".utf8))
  }
}
