package import Relay

extension WorkspaceFile {
  /// Returns a request as it came: its head and its body.
  package func body(_ seq: Seq) throws(StoreError) -> (head: [UInt8], body: [UInt8])? {
    var row = try statement(.requestBody)
    defer { row.reset() }
    row.add(seq)
    return try row.step() ? (head: row.bytes(0), body: row.bytes(1)) : nil
  }

  /// Returns the accepted result of a message.
  package func answer(_ seq: Seq) throws(StoreError) -> [UInt8]? {
    var row = try statement(.answerBody)
    defer { row.reset() }
    row.add(seq)
    return try row.step() ? row.bytes(0) : nil
  }

  /// The hashes of the answers to this caller's messages after `seq`: the newest ones, at most
  /// `count`, the oldest first.
  package func newestAnswers(
    to caller: String, after seq: Seq, atMost count: Int
  ) throws(StoreError) -> [(hash: UUIDBytes, seq: Seq)] {
    var row = try statement(.newestAnswers)
    defer { row.reset() }
    row.add(seq)
    row.add(caller)
    row.add(count)
    var found: [(hash: UUIDBytes, seq: Seq)] = []
    while try row.step() {
      guard Ranges.isSeq(row.int(0)), row.isUUID(1) else { throw row.damaged("answer") }
      found.append((hash: row.uuid(1), seq: row.int(0)))
    }
    return found.reversed()
  }

  /// Returns whether the file has no message and never had one.
  func hasNoMessages() throws(StoreError) -> Bool {
    guard try database.number("SELECT count(*) FROM (SELECT 1 FROM message LIMIT 1)") == 0
    else { return false }
    return try database.number("SELECT count(*) FROM meta WHERE key = '\(Meta.lastSeq)'") == 0
  }

  package func message(_ seq: Seq) throws(StoreError) -> StoredMessage? {
    var row = try statement(.message)
    defer { row.reset() }
    row.add(seq)
    return try row.step() ? row.message() : nil
  }

  package func task(_ seq: Seq) throws(StoreError) -> StoredTask? {
    var row = try statement(.task)
    defer { row.reset() }
    row.add(seq)
    return try row.step() ? row.task() : nil
  }

  /// The message that opened the task and those that continue it, in order.
  package func messages(ofTask seq: Seq) throws(StoreError) -> [StoredMessage] {
    var row = try statement(.taskMessages)
    row.add(seq)
    return try messages(&row)
  }

  /// Returns whether the task has more than `count` messages.
  package func hasMessages(ofTask seq: Seq, moreThan count: Int) throws(StoreError) -> Bool {
    var row = try statement(.furtherOfTask)
    defer { row.reset() }
    row.add(seq)
    // The one that opened it is not among them.
    row.add(count - 1)
    return try row.step()
  }

  /// Returns what happened to a message, beside what its own row says.
  package func timeline(
    _ seq: Seq
  ) throws(StoreError) -> (handOuts: [StoredHandOut], notes: [StoredNote]) {
    var handOuts = [StoredHandOut]()
    var row = try statement(.handOuts)
    defer { row.reset() }
    row.add(seq)
    while try row.step() { handOuts.append(try row.handOut()) }

    var notes = [StoredNote]()
    var note = try statement(.notes)
    defer { note.reset() }
    note.add(seq)
    while try note.step() { notes.append(try note.note()) }
    return (handOuts, notes)
  }

  func messages(_ row: inout Statement) throws(StoreError) -> [StoredMessage] {
    defer { row.reset() }
    var messages = [StoredMessage]()
    while try row.step() { messages.append(try row.message()) }
    return messages
  }
}
