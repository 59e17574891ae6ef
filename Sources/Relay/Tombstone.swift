/// What is left of a deleted message: that it was there, and why it is not any more.
package struct Tombstone: Sendable, Equatable {
  /// The raw values are on disk.
  package enum Cause: UInt8, Sendable, CaseIterable {
    /// Kept for as long as `retention` says.
    case age = 1
    /// Received, and the oldest of a workspace that keeps too much.
    case size
    /// Deleted on somebody's word.
    case purge
  }

  package var tag: UInt64
  /// Whose message it was: nobody else learns that it is gone.
  package var caller: String
  package var at: WallTime
  package var cause: Cause
  /// Who deleted it, and why, as they said; empty unless it was purged.
  package var actor: String
  package var reason: String
  /// It is forgotten then; not before its key's window is over.
  package var until: WallTime

  package init(
    tag: UInt64, caller: String, at: WallTime, cause: Cause, actor: String = "",
    reason: String = "", until: WallTime
  ) {
    self.tag = tag
    self.caller = caller
    self.at = at
    self.cause = cause
    self.actor = actor
    self.reason = reason
    self.until = until
  }
}

/// An `Idempotency-Key` as a workspace's file remembers it.
package struct StoredKey: Sendable, Equatable {
  /// Of the caller and its key.
  package var key: UUIDBytes
  /// Of the method and the params, without white space.
  package var call: UUIDBytes
  package var until: WallTime

  package init(key: UUIDBytes, call: UUIDBytes, until: WallTime) {
    self.key = key
    self.call = call
    self.until = until
  }
}
