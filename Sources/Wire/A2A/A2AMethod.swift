/// The operations of A2A (1.0 §9.4, 0.3 §7), whatever a dialect calls them.
package enum A2AMethod: UInt8, CaseIterable, Sendable {
  case send, stream, get, list, cancel, subscribe
  case pushSet, pushGet, pushList, pushDelete
  case extendedCard
  /// A method of no A2A version. A relayed agent may know it.
  case unknown

  /// The JSON-RPC method name; nil where the dialect has none (0.3 lists tasks over REST only).
  package func name(in dialect: Dialect) -> String? {
    switch dialect {
    case .v03: slashName
    case .v10: pascalName
    }
  }

  /// The operation and the dialect that a JSON-RPC method name stands for.
  package static func named(_ name: String) -> (method: A2AMethod, dialect: Dialect)? {
    byName[name]
  }

  /// Sends carry a message and make or continue a task.
  package var isSend: Bool { self == .send || self == .stream }

  private static let byName: [String: (method: A2AMethod, dialect: Dialect)] = {
    var names: [String: (method: A2AMethod, dialect: Dialect)] = [:]
    for method in allCases {
      for dialect in Dialect.allCases {
        if let name = method.name(in: dialect) { names[name] = (method, dialect) }
      }
    }
    return names
  }()

  private var slashName: String? {
    switch self {
    case .send: "message/send"
    case .stream: "message/stream"
    case .get: "tasks/get"
    case .cancel: "tasks/cancel"
    case .subscribe: "tasks/resubscribe"
    case .pushSet: "tasks/pushNotificationConfig/set"
    case .pushGet: "tasks/pushNotificationConfig/get"
    case .pushList: "tasks/pushNotificationConfig/list"
    case .pushDelete: "tasks/pushNotificationConfig/delete"
    case .extendedCard: "agent/getAuthenticatedExtendedCard"
    case .list, .unknown: nil
    }
  }

  private var pascalName: String? {
    switch self {
    case .send: "SendMessage"
    case .stream: "SendStreamingMessage"
    case .get: "GetTask"
    case .list: "ListTasks"
    case .cancel: "CancelTask"
    case .subscribe: "SubscribeToTask"
    case .pushSet: "CreateTaskPushNotificationConfig"
    case .pushGet: "GetTaskPushNotificationConfig"
    case .pushList: "ListTaskPushNotificationConfigs"
    case .pushDelete: "DeleteTaskPushNotificationConfig"
    case .extendedCard: "GetExtendedAgentCard"
    case .unknown: nil
    }
  }
}
