package import Relay
import System

extension WorkspaceFile {
  enum Meta {
    static let workspace = "workspace"
    static let createdAt = "created_at"
    /// The kernel's boot id while the file was last in use.
    static let kernelBoot = "kernel_boot"
    /// Unanswered messages up to this number may have lost hand-out rows.
    static let doubtfulUpTo = "doubtful_up_to"
    /// The highest number of a deleted message; written with each deletion of the newest.
    static let lastSeq = "last_seq"
    /// The key of the number of messages that were ever deleted.
    static let deleted = "deleted"
    /// The secret of the file's digests, 16 bytes.
    static let digestKey = "digest_key"
    /// Messages up to this number were stored before there was one.
    static let unkeyedUpTo = "unkeyed_up_to"
    /// The key of the number of counted transactions without a new message: see
    /// `WorkspaceFile.progress`.
    static let progress = "progress"
  }

  /// Reads everything that is still at work; once, after opening.
  ///
  /// After a power cut (another boot of the kernel than the one that used the file last) the last
  /// hand-outs may be missing: they are committed, but no barrier was waited for. All that was
  /// there then is marked, in the file, because the process may die before the messages are
  /// answered.
  package func recover(now: WallTime) throws(StoreError) -> Recovered {
    try checkOwner("open")
    var recovered = Recovered()
    recovered.lastSeq = max(
      try database.number("SELECT max(seq) FROM message"), try metaNumber(Meta.lastSeq))
    let newest = try database.number("SELECT at FROM message ORDER BY seq DESC LIMIT 1")
    guard recovered.lastSeq >= 0, recovered.lastSeq <= Ranges.seqMax,
      Ranges.isTime(WallTime(nanoseconds: newest))
    else {
      throw StoreError(
        kind: .corrupt, call: "read", path: path, message: "a number or time is out of range")
    }
    if newest > 0 { recovered.newestAt = WallTime(nanoseconds: newest) }
    try markDoubtful(&recovered)
    recovered.digestKey = try digestKey(lastSeq: recovered.lastSeq)

    var rows = try statement(.openMessages)
    recovered.messages = try messages(&rows)
    for message in recovered.messages {
      if let handOut = try lastHandOut(of: message.seq) {
        recovered.handOuts.append(handOut.row)
        if let change = handOut.last { recovered.handOutChanges.append(change) }
        if handOut.last?.kind.countsNoAttempt ?? true {
          recovered.untouchedInARow[message.seq] = try untouchedInARow(message.seq)
        }
      }
    }
    recovered.tasks = try tasks(of: recovered.messages)
    lastPosition = max(recovered.lastSeq, recovered.messages.map(\.position).max() ?? 0)
    recovered.lastPosition = lastPosition
    return recovered
  }

  private func markDoubtful(_ recovered: inout Recovered) throws(StoreError) {
    let boot = try metaText(Meta.kernelBoot)
    recovered.doubtfulUpTo = try metaNumber(Meta.doubtfulUpTo)
    guard boot != kernelBoot else { return }
    recovered.isAfterPowerCut = true
    recovered.doubtfulUpTo = recovered.lastSeq
    try markDoubtful(upTo: recovered.lastSeq)
    try database.settleBoot()
  }

  /// Notes that hand-outs of the messages up to `seq` may have been lost: a power cut, a restored
  /// copy, a rolled-back machine.
  package func markDoubtful(upTo seq: Seq) throws(StoreError) {
    try database.transaction { () throws(StoreError) in
      try setMeta(Meta.kernelBoot, kernelBoot)
      try setMeta(Meta.doubtfulUpTo, seq)
    }
  }

  /// A file of an older build is given a key now. It must be stored: digests under a key that is
  /// forgotten would find no equal call again.
  private func digestKey(lastSeq: Seq) throws(StoreError) -> DigestKey {
    var row = try statement(.readMeta)
    row.add(Meta.digestKey)
    let stored = try row.step() ? (secret: row.uuid(0), bytes: row.bytes(0)) : nil
    row.reset()
    if let stored {
      guard stored.bytes.count == 16 else {
        throw StoreError(
          kind: .corrupt, call: "read", path: path, message: "the key of the digests is damaged")
      }
      return DigestKey(secret: stored.secret, unkeyedUpTo: try metaNumber(Meta.unkeyedUpTo))
    }
    let key = DigestKey(secret: Self.newSecret(), unkeyedUpTo: lastSeq)
    try database.transaction { () throws(StoreError) in
      try setDigestKey(key.secret)
      try setMeta(Meta.unkeyedUpTo, key.unkeyedUpTo)
    }
    return key
  }

  func setDigestKey(_ secret: UUIDBytes = newSecret()) throws(StoreError) {
    var row = try statement(.writeMeta)
    row.add(Meta.digestKey)
    row.add(secret)
    try row.run()
  }

  static func newSecret() -> UUIDBytes {
    let random = Random()
    return UUIDBytes(high: random.next(), low: random.next())
  }

  /// A file under another workspace's name would show one agent what is for another.
  private func checkOwner(_ call: String) throws(StoreError) {
    guard try metaText(Meta.workspace) == id.text else {
      throw StoreError(
        kind: .corrupt, call: call, path: path, message: "it is the queue of another workspace")
    }
  }

  /// The first use counts as one after a power cut.
  func forgetBoot() throws(StoreError) {
    try checkOwner("import")
    try database.transaction { () throws(StoreError) in
      try setMeta(Meta.kernelBoot, MissingLog.unused)
    }
  }

  package func lastHandOut(of seq: Seq) throws(StoreError) -> StoredHandOut? {
    var row = try statement(.lastHandOut)
    defer { row.reset() }
    row.add(seq)
    return try row.step() ? row.handOut() : nil
  }

  /// Returns how many of the message's last hand-outs came back without counting as an attempt. One
  /// that is still in force is not one of them.
  private func untouchedInARow(_ seq: Seq) throws(StoreError) -> Int {
    var row = try statement(.untouchedInARow)
    defer { row.reset() }
    row.add(seq)
    return try row.step() ? Int(clamping: row.int(0)) : 0
  }

  /// The tasks of these messages and those that wait for input, by number, each once.
  private func tasks(of messages: [StoredMessage]) throws(StoreError) -> [StoredTask] {
    var tasks = [Seq: StoredTask]()
    for seq in Set(messages.map(\.task)) { tasks[seq] = try task(seq) }
    var row = try statement(.interruptedTasks)
    defer { row.reset() }
    while try row.step() {
      let task = try row.task()
      tasks[task.seq] = task
    }
    return tasks.values.sorted { $0.seq < $1.seq }
  }

  // MARK: meta

  private func metaText(_ key: String) throws(StoreError) -> String {
    var row = try statement(.readMeta)
    defer { row.reset() }
    row.add(key)
    return try row.step() ? row.text(0) : ""
  }

  func metaNumber(_ key: String) throws(StoreError) -> Int64 {
    var row = try statement(.readMeta)
    defer { row.reset() }
    row.add(key)
    guard try row.step() else { return 0 }
    guard row.isInteger(0) else { throw row.damaged("value of \(key)") }
    return row.int(0)
  }

  func setMeta(_ key: String, _ value: String) throws(StoreError) {
    var row = try statement(.writeMeta)
    row.add(key)
    row.add(value)
    try row.run()
  }

  func setMeta(_ key: String, _ value: Int64) throws(StoreError) {
    var row = try statement(.writeMeta)
    row.add(key)
    row.add(value)
    try row.run()
  }
}
