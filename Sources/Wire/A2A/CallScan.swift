/// A JSON-RPC request body, walked once from its first to its last byte.
///
/// Members may come in any order, so nothing is judged here: the method, and with it the dialect,
/// may stand behind the params. A name that repeats counts in its last place.
struct CallScan {
  var isObject = false
  var isArray = false
  var version = Field.absent
  var method = Field.absent
  var id: Range<Int>?
  var isIDGood = true
  var params: Range<Int>?
  var isParamsObject = true
  var inside = ParamsScan()
  /// What has walked it, at its end.
  private(set) var scanner = JSONScanner()

  init(_ bytes: Span<UInt8>, valuesMax: Int) throws(JSONError) {
    var scanner = JSONScanner(valuesMax: valuesMax)
    try scanner.begin(bytes)
    switch try scanner.kind(bytes) {
    case .object:
      isObject = true
      var names = JSONScanner.Names()
      try scanner.enter(bytes)
      while let key = try scanner.nextKey(bytes, &names) {
        try member(key, bytes, &scanner)
      }
    case .array:
      isArray = true
      try scanner.skip(bytes)
    default: try scanner.skip(bytes)
    }
    try scanner.end(bytes)
    self.scanner = scanner
  }

  private mutating func member(
    _ key: JSONScanner.Text, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if key.equals("jsonrpc", in: bytes) {
      version = try scanner.field(bytes)
    } else if key.equals("method", in: bytes) {
      method = try scanner.field(bytes)
    } else if key.equals("id", in: bytes) {
      let kind = try scanner.kind(bytes)
      let range = try scanner.skip(bytes)
      id = range
      // JSON-RPC 2.0 §4: a string, a number or null.
      isIDGood =
        (kind == .string || kind == .number || kind == .null)
        && range.count <= A2ACall.idBytesMax
    } else if key.equals("params", in: bytes) {
      let start = scanner.index
      inside = ParamsScan()
      let kind = try scanner.kind(bytes)
      isParamsObject = kind == .object || kind == .null
      if kind == .object { try inside.walk(bytes, &scanner) } else { try scanner.skip(bytes) }
      params = kind == .object ? start..<scanner.index : nil
    } else {
      try scanner.skip(bytes)
    }
  }
}

/// The params of any A2A operation: all have a few of the same members.
struct ParamsScan {
  var message: MessageScan?
  var isMessageGood = true
  var id = Field.absent
  var taskID = Field.absent
  var contextID = Field.absent
  var historyLength = ScalarField<Int>.absent
  var configuration = ConfigurationScan()
  var isConfigurationGood = true
  var isMetadataGood = true

  mutating func walk(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    var names = JSONScanner.Names()
    try scanner.enter(bytes)
    while let key = try scanner.nextKey(bytes, &names) {
      if key.equals("message", in: bytes) {
        let kind = try scanner.kind(bytes)
        isMessageGood = kind == .object || kind == .null
        message = kind == .object ? try MessageScan(bytes, &scanner) : nil
        if kind != .object { try scanner.skip(bytes) }
      } else if key.equals("configuration", in: bytes) {
        let kind = try scanner.kind(bytes)
        configuration = ConfigurationScan()
        isConfigurationGood = kind == .object || kind == .null
        if kind == .object {
          try configuration.walk(bytes, &scanner)
        } else {
          try scanner.skip(bytes)
        }
      } else if key.equals("id", in: bytes) {
        id = try scanner.field(bytes)
      } else if key.equals("taskId", in: bytes) || key.equals("task_id", in: bytes) {
        taskID = try scanner.field(bytes)
      } else if key.equals("contextId", in: bytes) || key.equals("context_id", in: bytes) {
        contextID = try scanner.field(bytes)
      } else if key.equals("historyLength", in: bytes) || key.equals("history_length", in: bytes) {
        historyLength = try scanner.count(bytes)
      } else if key.equals("metadata", in: bytes) {
        isMetadataGood = try scanner.isObjectOrNull(bytes)
      } else {
        try scanner.skip(bytes)
      }
    }
  }
}

/// The configuration of a send, in both dialects' names.
struct ConfigurationScan {
  var blocking = ScalarField<Bool>.absent
  var returnImmediately = ScalarField<Bool>.absent
  var historyLength = ScalarField<Int>.absent
  var hasPushConfig = false

  mutating func walk(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    var names = JSONScanner.Names()
    try scanner.enter(bytes)
    while let key = try scanner.nextKey(bytes, &names) {
      if key.equals("blocking", in: bytes) {
        blocking = try scanner.flag(bytes)
      } else if key.equals("returnImmediately", in: bytes)
        || key.equals("return_immediately", in: bytes)
      {
        returnImmediately = try scanner.flag(bytes)
      } else if key.equals("historyLength", in: bytes) || key.equals("history_length", in: bytes) {
        historyLength = try scanner.count(bytes)
      } else if Self.isPush(key, bytes) {
        hasPushConfig = try scanner.kind(bytes) != .null
        try scanner.skip(bytes)
      } else {
        try scanner.skip(bytes)
      }
    }
  }

  private static func isPush(_ key: JSONScanner.Text, _ bytes: Span<UInt8>) -> Bool {
    key.equals("pushNotificationConfig", in: bytes)
      || key.equals("taskPushNotificationConfig", in: bytes)
      || key.equals("push_notification_config", in: bytes)
      || key.equals("task_push_notification_config", in: bytes)
  }
}
