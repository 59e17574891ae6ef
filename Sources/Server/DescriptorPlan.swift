import Relay

/// Divides the process's descriptors between connections and workspace files.
///
/// A limit that the operator has set is kept or refused; only a default is cut to what there is.
struct DescriptorPlan {
  /// A default that did not fit, and what it was cut to.
  struct Adaptation: Equatable {
    var name: String
    var from: Int
    var to: Int
  }

  static let perWorkspace = 3

  private(set) var limits: Limits
  private(set) var adaptations: [Adaptation] = []

  /// - `asked`: the names of the limits that the operator has set.
  init(_ limits: Limits, asked: Set<String>, descriptors: Int) throws(ServeOptions.Usage) {
    self.limits = limits
    if !asked.contains("openWorkspacesMax") {
      let connections =
        asked.contains("connectionsMax") ? limits.connectionsMax : descriptors / 2
      let room = (descriptors - Limits.ownDescriptors - connections) / Self.perWorkspace
      adapt("openWorkspacesMax", \.openWorkspacesMax, to: max(room, Limits.openWorkspacesMin))
    }
    if !asked.contains("connectionsMax") {
      let room =
        descriptors - Limits.ownDescriptors - Self.perWorkspace * self.limits.openWorkspacesMax
      adapt("connectionsMax", \.connectionsMax, to: max(room, Limits.connectionsMin))
    }
    let (files, isLarge) = self.limits.openWorkspacesMax
      .multipliedReportingOverflow(by: Self.perWorkspace)
    let needed = isLarge ? Int.max : files + self.limits.connectionsMax + Limits.ownDescriptors
    guard needed > descriptors else { return }
    throw ServeOptions.Usage(
      text: "connectionsMax=\(self.limits.connectionsMax) and "
        + "openWorkspacesMax=\(self.limits.openWorkspacesMax) need \(needed) descriptors "
        + "(one and \(Self.perWorkspace) each, and \(Limits.ownDescriptors)); RLIMIT_NOFILE allows "
        + "\(descriptors): lower the limits, or raise it (ulimit -n, LimitNOFILE=)")
  }

  private mutating func adapt(
    _ name: String, _ path: WritableKeyPath<Limits, Int>, to room: Int
  ) {
    let wanted = limits[keyPath: path]
    guard room < wanted else { return }
    adaptations.append(Adaptation(name: name, from: wanted, to: room))
    limits[keyPath: path] = room
  }
}
