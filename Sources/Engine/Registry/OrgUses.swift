import Relay

/// Each org's use of the resources that all orgs share. Removed workspaces count until they are
/// purged, because their rows are in memory and their files on the disk.
struct OrgUses {
  struct Use: Equatable {
    var workspaces = 0
    var cardBytes = 0
  }

  private var byOrg: [String: Use] = [:]
  private(set) var cardBytes = 0

  subscript(org: String) -> Use { byOrg[org] ?? Use() }

  mutating func add(_ row: RegisteredWorkspace) {
    cardBytes += row.cardBytes
    byOrg[row.org, default: Use()].workspaces += 1
    byOrg[row.org, default: Use()].cardBytes += row.cardBytes
  }

  mutating func remove(_ row: RegisteredWorkspace) {
    cardBytes -= row.cardBytes
    byOrg[row.org]?.workspaces -= 1
    byOrg[row.org]?.cardBytes -= row.cardBytes
    if byOrg[row.org] == Use() { byOrg[row.org] = nil }
  }
}

extension RegisteredWorkspace {
  /// The bytes of the row that the agent's registration has set.
  var cardBytes: Int { card.count + url.utf8.count }
}

/// The rendered cards that callers get, each made on demand. When there are too many, the oldest
/// are dropped and rendered again when needed.
struct MadeCards {
  typealias Card = (bytes: [UInt8], etag: String)

  private var cards: [WorkspaceID: Card] = [:]
  /// The cards in the order of their rendering; dropped ones are skipped.
  private var order: [WorkspaceID] = []
  private var oldest = 0
  private(set) var bytes = 0

  subscript(id: WorkspaceID) -> Card? { cards[id] }

  mutating func keep(_ card: Card, of id: WorkspaceID, bytesMax: Int) {
    drop(id)
    cards[id] = card
    bytes += card.bytes.count
    order.append(id)
    while bytes > bytesMax, oldest < order.count {
      drop(order[oldest])
      oldest += 1
    }
    guard order.count > 64, order.count > 2 * cards.count else { return }
    // A dropped id that was rendered again stands there twice: its last place counts.
    var seen: Set<WorkspaceID> = []
    order = order[oldest...].reversed().filter { cards[$0] != nil && seen.insert($0).inserted }
      .reversed()
    oldest = 0
  }

  mutating func drop(_ id: WorkspaceID) {
    if let card = cards.removeValue(forKey: id) { bytes -= card.bytes.count }
  }
}
