import Engine
import Relay
import Wire

/// Reads numbers and flags, as queries and bodies have them.
enum QueryValue {
  /// Returns `nil` for a number that is not there.
  static func number(
    _ name: String, _ text: String?, _ range: ClosedRange<Int>
  ) throws(BatchFault) -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), range.contains(number) else {
      let got = String(text.prefix(40))
      throw BatchFault(
        .badParameter, "\(name) must be \(range.lowerBound) to \(range.upperBound); got \(got)")
    }
    return number
  }

  /// Reads a member of a body that is a number of seconds; `nil` if it is not there.
  static func seconds(
    _ name: String, _ json: JSON, _ range: ClosedRange<Int>
  ) throws(BatchFault) -> Duration? {
    guard let value = json[name], !value.isNull else { return nil }
    return try number(name, text(of: value), range).map { .seconds($0) }
  }

  /// Returns a whole number as digits, and any other value as JSON, which is no number then.
  static func text(of value: JSON) -> String {
    value.int.map(String.init) ?? String(decoding: value.bytes, as: UTF8.self)
  }

  /// Returns what a flag says: `false` if it is not there, `nil` if it says nothing that is allowed.
  static func flag(_ text: String?) -> Bool? {
    switch text {
    case nil, "false", "0": false
    case "true", "1": true
    default: nil
    }
  }

  /// Refuses members that are not known. For what a misspelt wish would make for good: a credential
  /// without an end, say.
  static func check(_ json: JSON, hasOnly known: [String]) throws(BatchFault) {
    guard let member = json.object?.first(where: { !known.contains($0.key) }) else { return }
    let list = known.joined(separator: ", ")
    throw BatchFault(.badRequest, "\"\(member.key)\" is not known; allowed are \(list)")
  }
}
