import Relay
import System

/// What callers have received. A receipt opens no file: it is noted with the next commit of its
/// workspace, and that of a closed file waits in memory until the file is open.
extension Engine {
  func received(_ receipt: HeldReceipts.Receipt, at id: WorkspaceID, now: Now) {
    guard directory.isThere(id), !unopenable.contains(id) else { return }
    if let desk = desks[id] {
      guard desk.failure == nil else { return }
      touch(desk)
      apply(receipt, desk, now: now)
      return carryOut(desk, now: now)
    }
    if receipts.hasRoom(limits.receiptsHeldMax) {
      receipts.hold(receipt, of: id)
      return setAlarm(id, now.instant + limits.receiptHeldTime)
    }
    // Without a receipt an equal call attaches, as after a crash.
    withFile(
      nextCall(), now: now, refused: { _, _ in },
      { [unowned self] now throws(RelayError) in
        let desk = try desk(id, now: now)
        apply(receipt, desk, now: now)
        carryOut(desk, now: now)
      })
  }

  func apply(_ receipt: HeldReceipts.Receipt, _ desk: Desk, now: Now) {
    for seq in receipt.tasks { desk.queue.received(seq, isEnd: false, now: now) }
    for seq in receipt.ends {
      if desk.queue.message(seq) != nil {
        desk.queue.received(seq, isEnd: true, now: now)
      } else {
        // Its Task was taken before, and it has left memory since.
        desk.addDeferred(.received(seq: seq, .end, at: now.wall), limits, now: now)
      }
    }
  }
}
