import Relay
package import Store
package import Wire

/// What the rest of the engine asks the owners of the upkeep.
extension Engine {
  // MARK: the disk

  package var isDiskLow: Bool { diskGuard.isLow }

  package var disk: DiskRoom.State? { diskGuard.state }

  package var roomJSON: JSON { diskGuard.json }

  package func checkDisk(takesReserves: Bool = true) {
    diskGuard.look(takesReserves: takesReserves)
  }

  func withRoom<Result>(
    for use: DiskRoom.Use, _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    try diskGuard.withRoom(for: use, body)
  }

  func hasRoomForSend(_ bytes: Int, _ desk: Desk) -> Bool {
    diskGuard.hasRoomForSend(bytes, desk.writer)
  }

  func roomForResult(_ desk: Desk, bytes: Int) -> Int {
    diskGuard.roomForResult(bytes, desk.writer, &desk.lowDiskUse)
  }

  func isForDeletionOnly(_ desk: Desk, _ writes: [Write]) -> Bool {
    diskGuard.isForDeletionOnly(writes, desk.writer)
  }
}

extension Desk {
  fileprivate var writer: DiskGuard.Writer {
    DiskGuard.Writer(file: isOpen ? file : nil, batchBytes: transaction.batchBytes)
  }
}
