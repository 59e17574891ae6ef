import Relay

/// The callers of all workspaces that wait for the end of a message, with the message's place and
/// the end of their hold.
final class HeldCallers {
  struct Place: Equatable {
    var workspace: WorkspaceID
    var seq: Seq
  }

  struct Hold: Comparable {
    var at: Instant
    var place: Place
    var call: CallID
    static func < (left: Hold, right: Hold) -> Bool {
      (left.at.nanoseconds, left.call) < (right.at.nanoseconds, right.call)
    }
  }

  private var places: [CallID: Place] = [:]
  private var holds = Heap<Hold>()

  var isEmpty: Bool { places.isEmpty }

  var count: Int { places.count }

  /// The callers that wait now.
  var all: [(call: CallID, place: Place)] { places.map { ($0.key, $0.value) } }

  subscript(call: CallID) -> Place? { places[call] }

  func add(_ call: CallID, at place: Place) { places[call] = place }

  func remove(_ call: CallID) { places[call] = nil }

  /// Holds a caller until `hold.at`, unless it is answered before.
  func hold(_ hold: Hold) {
    holds.insert(hold)
    // The holds of answered callers stay until they are the majority.
    if holds.count > 1024 + 4 * places.count { holds.keep { places[$0.call] != nil } }
  }

  var nextDue: Instant? { holds.first?.at }

  /// Removes and returns a hold that has ended.
  func takeDue(_ now: Instant) -> Hold? {
    guard let first = holds.first, first.at <= now else { return nil }
    return holds.popFirst()
  }
}
