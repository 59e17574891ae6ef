import Relay
import Wire

extension JSON {
  /// Returns a time in the form that all responses use; `null` for none.
  static func time(_ time: WallTime?) -> JSON {
    time.map { .string(Timestamp.rfc3339(nanoseconds: $0.nanoseconds)) } ?? .null
  }
}
