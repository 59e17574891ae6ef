import Relay

/// The receipts of messages whose file is closed. They wait in memory until the file is opened for
/// something else, or by the sweep. A crash loses them, and then they count as never received.
struct HeldReceipts {
  /// The messages whose caller has received a reply: a Task, or an end.
  struct Receipt {
    var tasks: [Seq]
    var ends: [Seq]
  }

  /// The receipts of workspaces that are not in memory.
  private var ofAbsent: [WorkspaceID: [Receipt]] = [:]
  /// The workspaces in memory without an open file, which hold their own receipts.
  private var closed: Set<WorkspaceID> = []
  private var receiptsOfAbsent = 0

  /// Returns whether one more receipt may be held.
  ///
  /// - `closedMax`: the limit for workspaces that are in memory without a file; each receipt of a
  ///   workspace that is not in memory counts like one.
  func hasRoom(_ closedMax: Int) -> Bool {
    closed.count + receiptsOfAbsent < closedMax
  }

  mutating func closed(_ id: WorkspaceID) { closed.insert(id) }

  mutating func opened(_ id: WorkspaceID) { closed.remove(id) }

  mutating func hold(_ receipt: Receipt, of id: WorkspaceID) {
    receiptsOfAbsent += 1
    ofAbsent[id, default: []].append(receipt)
  }

  /// Takes the receipts of a workspace that has been loaded into memory.
  mutating func take(_ id: WorkspaceID) -> [Receipt] {
    guard let receipts = ofAbsent.removeValue(forKey: id) else { return [] }
    receiptsOfAbsent -= receipts.count
    return receipts
  }

  /// The workspaces that have receipts and are not in memory.
  var absent: [WorkspaceID] { Array(ofAbsent.keys) }
}
