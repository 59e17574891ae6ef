import Relay

/// A list of workspaces in the order of their addition, read a page at a time.
struct Roll {
  /// The ids in order. A removed workspace leaves a gap; when there are too many, the gaps are
  /// removed.
  private var ids: [WorkspaceID?] = []
  private var places: [WorkspaceID: Int] = [:]
  private var gaps = 0

  mutating func add(_ id: WorkspaceID) {
    guard places[id] == nil else { return }
    places[id] = ids.count
    ids.append(id)
  }

  mutating func remove(_ id: WorkspaceID) {
    guard let place = places.removeValue(forKey: id) else { return }
    ids[place] = nil
    gaps += 1
    guard gaps > 64, gaps > ids.count / 2 else { return }
    ids = ids.filter { $0 != nil }
    gaps = 0
    for case (let place, let id?) in ids.enumerated() { places[id] = place }
  }

  /// Returns a page of ids; `nil` if `after` is not in the list.
  func page(after: WorkspaceID?, _ size: Int) -> (ids: [WorkspaceID], hasMore: Bool)? {
    var start = 0
    if let after {
      guard let place = places[after] else { return nil }
      start = place + 1
    }
    var page: [WorkspaceID] = []
    for case let id? in ids[start...] {
      if page.count == size { return (page, true) }
      page.append(id)
    }
    return (page, false)
  }
}

/// The lists of workspaces: one of all, and one for each org.
struct Rolls {
  private var all = Roll()
  private var ofOrg: [String: Roll] = [:]

  mutating func add(_ row: RegisteredWorkspace) {
    all.add(row.id)
    ofOrg[row.org, default: Roll()].add(row.id)
  }

  mutating func remove(_ row: RegisteredWorkspace) {
    all.remove(row.id)
    ofOrg[row.org]?.remove(row.id)
  }

  /// Returns a page of ids; `nil` if `after` is not in the list.
  func page(
    after: WorkspaceID?, _ size: Int, org: String?
  ) -> (ids: [WorkspaceID], hasMore: Bool)? {
    (org.map { ofOrg[$0] ?? Roll() } ?? all).page(after: after, size)
  }
}
