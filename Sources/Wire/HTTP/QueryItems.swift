/// The names and values of a query, read as `application/x-www-form-urlencoded`.
///
/// WHATWG URL §5.1: `+` is a space, an escape that is none stands for itself, and bytes that are
/// not UTF-8 are repaired. So there is no query that cannot be read; what a value means is checked
/// where it is used.
package struct QueryItems: Equatable, Sendable {
  package struct Item: Equatable, Sendable {
    package let name: String
    package let value: String
  }

  package let items: [Item]

  package init(_ query: String?) {
    let pairs = (query ?? "").utf8.split(separator: 0x26)
    items = pairs.map { pair in
      let mark = pair.firstIndex(of: 0x3D) ?? pair.endIndex
      return Item(name: Self.decode(pair[..<mark]), value: Self.decode(pair[mark...].dropFirst()))
    }
  }

  /// The value of the first item called `name`; empty when it has no `=`.
  package func first(_ name: String) -> String? { items.first { $0.name == name }?.value }

  package func all(_ name: String) -> [String] {
    items.compactMap { $0.name == name ? $0.value : nil }
  }

  private static func decode(_ text: Substring.UTF8View) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case 0x2B: bytes.append(HTTPCharacter.space)
      case PercentEncoding.percent: bytes.append(PercentEncoding.escape(&rest) ?? byte)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
