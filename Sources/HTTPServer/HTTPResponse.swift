/// A whole answer. Its framing, its date and its connection fields are the loop's business.
package struct HTTPResponse: Sendable {
  package var status: Int
  /// In the order in which they are sent. `Server` is among them from the start.
  package var headers: [(String, String)]
  package var body: [UInt8]
  /// The connection is closed after this answer, whatever the peer asked for.
  package var closes = false

  package static let server = ("Server", "a2a-relay")

  // Shared by all answers of their kind: a header list costs an allocation.
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

  /// A JSON text that is written already.
  package static func json(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(shared: jsonHeaders, status: status, body: body)
  }

  /// An answer without a body, such as 204.
  package static func empty(_ status: Int) -> HTTPResponse {
    HTTPResponse(shared: bareHeaders, status: status, body: [])
  }

  /// `{"error":…,"code":…}`. Both are texts of this program, which hold nothing to escape.
  package static func error(_ status: Int, _ text: String, code: String) -> HTTPResponse {
    .json(status, Array("{\"error\":\"\(text)\",\"code\":\"\(code)\"}\n".utf8))
  }
}
