import Engine
import Relay
import Store
import Wire

/// The events of one message, in the order in which they happened.
struct Timeline {
  private var events: [(at: WallTime, name: String, members: [(String, JSON)])] = []

  init(_ facts: TimelineFacts) {
    let message = facts.facts.message
    add(message.at, "stored", [("caller", .string(message.caller))])
    for handOut in facts.handOuts { add(handOut) }
    var bodiesLeft = facts.lateBodies
    for note in facts.notes {
      var members = note.members
      if bodiesLeft > 0, let body = note.lateBody {
        members.append(body)
        bodiesLeft -= 1
      }
      add(note.at, note.kind.name, members)
    }
    if let ended = message.endedAt {
      let lease: [(String, JSON)] =
        message.state == .answered
        ? [("lease", .string(LeaseToken.text(message.answerFence)))] : []
      add(
        ended, message.state == .answered ? "answered" : message.reason?.name ?? "ended", lease)
    }
    addReceipts(message)
    // Equal times keep the order in which they were added.
    events = events.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
  }

  /// Adds the replies that the caller is known to have received, and the state that each showed.
  private mutating func addReceipts(_ message: StoredMessage) {
    func reply(_ kind: String) -> [(String, JSON)] { [("reply", .string(kind))] }
    let none = WallTime(nanoseconds: 0)
    if let at = message.taskReceivedAt, at > none { add(at, "reply_received", reply("task")) }
    if let at = message.toldAt { add(at, "told", reply("end")) }
    if let at = message.receivedAt, at > none {
      add(at, "reply_received", reply(message.isEndReceived ? "end" : "task"))
    }
  }

  private mutating func add(_ at: WallTime, _ name: String, _ members: [(String, JSON)]) {
    events.append((at, name, members))
  }

  private mutating func add(_ handOut: StoredHandOut) {
    let row = handOut.row
    let lease = JSON.string(LeaseToken.text(row.fence))
    let end = JSON.string(Timestamp.rfc3339(nanoseconds: row.leaseEnd.nanoseconds))
    add(
      row.at, row.kind == .offer ? "offered" : "handed_out",
      [
        ("lease", lease), ("attempt", .number(String(row.attempt))),
        ("consumer", .string(row.consumer)), ("lease_end", end),
      ])
    guard let last = handOut.last else { return }
    if let claimed = handOut.claimedAt, last.kind != .claimed {
      add(claimed, HandOutChange.Kind.claimed.name, [("lease", lease)])
    }
    var members: [(String, JSON)] = [("lease", lease)]
    if !last.reason.isEmpty { members.append(("reason", .string(last.reason))) }
    add(last.at, last.kind.name, members)
  }

  func write(into writer: inout JSONWriter) {
    writer.beginArray()
    for event in events {
      writer.beginObject()
      writer.key("at")
      writer.string(Timestamp.rfc3339(nanoseconds: event.at.nanoseconds))
      writer.key("event")
      writer.string(event.name)
      for (name, value) in event.members {
        writer.key(name)
        value.write(into: &writer)
      }
      writer.endObject()
    }
    writer.endArray()
  }
}

extension HandOutChange.Kind {
  fileprivate var name: String {
    switch self {
    case .claimed: "claimed"
    case .extended: "extended"
    case .released: "released"
    case .lost: "lease_lost"
    case .unburnt: "returned_unburnt"
    case .ended: "ended"
    case .revoked: "revoked"
    case .withheld: "withheld"
    }
  }
}

extension NoteKind {
  fileprivate var name: String {
    switch self {
    case .callerAttached: "caller_attached"
    case .callerGone: "caller_gone"
    case .holdEnded: "hold_ended"
    case .resultAfterEnd: "result_after_end"
    case .resultConflict: "result_conflict"
    case .cancelledByOperator: "cancel_asked"
    case .redriven: "redriven"
    case .replayed: "replayed"
    case .replayOf: "replay"
    }
  }
}

extension StoredNote {
  /// The body that an agent sent too late, as it came; a body that was too long is cut.
  var lateBody: (String, JSON)? {
    guard kind == .resultAfterEnd || kind == .resultConflict, !detail.isEmpty else { return nil }
    if let json = try? JSON(parsing: detail) { return ("body", json) }
    return ("body_start", .string(String(decoding: detail, as: UTF8.self)))
  }

  /// The members of a note that an operator's operation has left. Other notes show only their kind.
  var members: [(String, JSON)] {
    switch kind {
    case .cancelledByOperator, .redriven, .replayed, .replayOf:
      guard let json = try? JSON(parsing: detail) else { return [] }
      return (json.object ?? []).map { ($0.key, $0.value) }
    case .callerAttached, .callerGone, .holdEnded, .resultAfterEnd, .resultConflict: return []
    }
  }
}
