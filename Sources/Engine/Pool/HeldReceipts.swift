import Relay

/// Receipts of messages whose file is closed: they wait in memory until it is opened for something
/// else, or its turn in the sweep comes. A crash loses them, as it loses one that never came.
struct HeldReceipts {
  /// Messages whose caller has received a reply: their Task, or how they ended.
  struct Receipt {
    var tasks: [Seq]
    var ends: [Seq]
  }

  /// Of workspaces that are only files.
  private var ofAbsent: [WorkspaceID: [Receipt]] = [:]
  /// Workspaces in memory without a file, which hold their own.
  private var closed: Set<WorkspaceID> = []
  private var receiptsOfAbsent = 0

  /// Workspaces with receipts in memory only by `closedMax`, and receipts of absent ones too.
  func hasRoom(_ closedMax: Int) -> Bool {
    closed.count + receiptsOfAbsent < closedMax
  }

  mutating func closed(_ id: WorkspaceID) { closed.insert(id) }

  mutating func opened(_ id: WorkspaceID) { closed.remove(id) }

  mutating func hold(_ receipt: Receipt, of id: WorkspaceID) {
    receiptsOfAbsent += 1
    ofAbsent[id, default: []].append(receipt)
  }

  /// What was held for a workspace that is in memory again.
  mutating func take(_ id: WorkspaceID) -> [Receipt] {
    guard let receipts = ofAbsent.removeValue(forKey: id) else { return [] }
    receiptsOfAbsent -= receipts.count
    return receipts
  }

  /// Workspaces that are only files, and have receipts.
  var absent: [WorkspaceID] { Array(ofAbsent.keys) }
}
