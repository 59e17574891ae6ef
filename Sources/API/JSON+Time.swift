import Relay
import Wire

extension JSON {
  /// A time as all answers show it; `null` for none.
  static func time(_ time: WallTime?) -> JSON {
    time.map { .string(Timestamp.rfc3339(nanoseconds: $0.nanoseconds)) } ?? .null
  }
}
