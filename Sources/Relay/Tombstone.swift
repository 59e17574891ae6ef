/// The trace of a deleted message: that it existed, and why it was deleted.
package struct Tombstone: Sendable, Equatable {
  /// The raw values are on disk.
  package enum Cause: UInt8, Sendable, CaseIterable {
    /// The message was kept for as long as `retention` says.
    case age = 1
    /// The message was received, and was the oldest one of a workspace that keeps too much.
    case size
    /// An operator deleted the message.
    case purge
  }

  package var tag: UInt64
  /// The caller whose message it was: nobody else learns that it was deleted.
  package var caller: String
  package var at: WallTime
  package var cause: Cause
  /// The operator who purged the message, and the reason given; empty unless it was purged.
  package var actor: String
  package var reason: String
  /// When the tombstone is deleted; not before the window of its key is over.
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
  /// The digest of the caller and its key.
  package var key: UUIDBytes
  /// The digest of the method and the params, without white space.
  package var call: UUIDBytes
  package var until: WallTime

  package init(key: UUIDBytes, call: UUIDBytes, until: WallTime) {
    self.key = key
    self.call = call
    self.until = until
  }
}
