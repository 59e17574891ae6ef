import Relay
import Store
import System

/// Progress that a barrier has covered and that is not noted yet.
struct ProgressToNote {
  var files: [WorkspaceID: Int64] = [:]
  /// Of relay.db; 0: nothing new.
  var registry: Int64 = 0
  var due: Instant?
}

/// How far each file is on the disk is noted in another file, so that the next start finds out when
/// one has gone back (`Progress`). It costs no sync, and a transaction of relay.db a second while
/// anything is written.
extension Engine {
  /// A transaction with a new message shows by itself; of the others one a second is counted, and
  /// none while room is short.
  func mustCount(_ writes: [Write], _ desk: Desk, now: Now) -> Bool {
    if let last = desk.countedAt, last + limits.progressInterval > now.instant { return false }
    return !isDiskLow && !writes.isEmpty && !writes.contains(where: \.isSend)
  }

  /// A barrier has covered what the file had come to. Never before that: after a power cut the note
  /// may be there and what it is about may not.
  func passed(_ desk: Desk, _ progress: Int64, now: Now) {
    guard progress > desk.notedProgress else { return }
    desk.notedProgress = progress
    progressToNote.files[desk.id] = progress
    noteSoon(now)
  }

  /// The same of relay.db.
  func registryPassed(progress: Int64, now: Now) {
    guard progress > progressToNote.registry else { return }
    progressToNote.registry = progress
    noteSoon(now)
  }

  private func noteSoon(_ now: Now) {
    if progressToNote.due == nil { progressToNote.due = now.instant + limits.progressInterval }
  }

  /// Returns what relay.db is to note with this turn's transaction, and notes its own progress.
  /// A turn comes when it is due because the server looks at the disk once a second.
  func takeProgress(now: Now) -> [WorkspaceID: Int64] {
    if let due = progressToNote.due, due > now.instant { return [:] }
    progressToNote.due = nil
    if progressToNote.registry > 0 {
      do throws(StoreError) {
        try data.note(registryProgress: progressToNote.registry)
        progressToNote.registry = 0
      } catch {
        repeatedLog.warning("progress_not_noted", error.description)
        noteSoon(now)
      }
    }
    var noted: [WorkspaceID: Int64] = [:]
    for id in Array(progressToNote.files.keys.prefix(Limits.pulsesInTransactionMax)) {
      let progress = progressToNote.files.removeValue(forKey: id)
      // A workspace that is being purged has a row no more, or soon.
      let row = (directory.workspace(id) ?? directory.removed[id])?.row
      if row != nil, row?.state != .purging { noted[id] = progress }
    }
    return noted
  }
}
