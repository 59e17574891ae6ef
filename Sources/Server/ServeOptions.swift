package import Engine
package import Relay
package import System

/// The settings of one run of the relay.
package struct ServeOptions: Sendable {
  package var listen = SocketAddress(ipv4: 0x7F00_0001, port: 8080)
  package var data = "./relay-data"
  package var publicURL: String?
  /// Names by which callers reach the relay, beside the one in the public URL.
  package var allowedHosts: Set<String> = []
  package var rootWorkspace: WorkspaceID?
  package var registration: RegistrationMode?
  package var barrier = Barrier.Choice.auto
  package var log: Log.Format?
  package var metrics = MetricsAccess.closed
  package var adminToken: String?
  package var limits = Limits()
  /// The names of the limits that the operator has set.
  package var asked: Set<String> = []
  /// Whether the data directory holds an older state of a relay that went on.
  package var isAfterRollback = false
  /// Workspaces whose lost files are replaced by empty ones.
  package var acceptedLosses: [WorkspaceID] = []

  package init() {}

  /// Settings that the relay cannot start with.
  package struct Usage: Error {
    package var text: String
  }

  /// Refuses settings that contradict each other.
  package func check() throws(Usage) {
    guard publicURL != nil || !listen.isWildcard else {
      throw Usage(
        text: "--listen \(listen) stands for every address of this machine, and agent cards need "
          + "one that callers can reach; name it with --public-url (or A2A_RELAY_PUBLIC_URL), as "
          + "--public-url http://10.0.0.5:\(listen.port), or listen on one address")
    }
    let found = limits.contradictions
    guard found.isEmpty else { throw Usage(text: "--limit: \(found.joined(separator: "; "))") }
  }
}
