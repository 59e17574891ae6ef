import API
import HTTPServer

extension HTTPResponse {
  /// A response with the status and the body of what the API has made; the fields come after those
  /// of the request.
  init(_ rendered: Rendered) {
    self =
      rendered.body.isEmpty ? .empty(rendered.status) : .json(rendered.status, rendered.body)
  }
}
