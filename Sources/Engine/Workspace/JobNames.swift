package import Relay

extension JobRow.Verb {
  package var name: String {
    switch self {
    case .redrive: "redrive"
    case .replay: "replay"
    case .purge: "purge"
    }
  }
}

extension JobRow.State {
  package var name: String {
    switch self {
    case .running: "running"
    case .done: "done"
    case .stopped: "stopped"
    }
  }
}
