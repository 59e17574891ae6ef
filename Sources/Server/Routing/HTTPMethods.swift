/// A set of the methods that routes take.
struct HTTPMethods: OptionSet, Sendable {
  let rawValue: UInt8

  static let get = HTTPMethods(rawValue: 1)
  static let head = HTTPMethods(rawValue: 2)
  static let post = HTTPMethods(rawValue: 4)
  static let put = HTTPMethods(rawValue: 8)
  static let patch = HTTPMethods(rawValue: 16)
  static let delete = HTTPMethods(rawValue: 32)
  static let options = HTTPMethods(rawValue: 64)
  /// The methods that change nothing.
  static let read: HTTPMethods = [.get, .head]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The set of this one method; empty if no route takes it. Methods are case-sensitive (RFC 9110
  /// §9.1).
  init(_ name: String) {
    self =
      switch name {
      case "POST": .post
      case "GET": .get
      case "HEAD": .head
      case "PUT": .put
      case "PATCH": .patch
      case "DELETE": .delete
      case "OPTIONS": .options
      default: []
      }
  }

  /// The names, in the order of `Allow` (RFC 9110 §10.2.1).
  var names: [String] {
    let all: [(HTTPMethods, String)] = [
      (.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.put, "PUT"), (.patch, "PATCH"),
      (.delete, "DELETE"), (.options, "OPTIONS"),
    ]
    return all.filter { contains($0.0) }.map(\.1)
  }
}
