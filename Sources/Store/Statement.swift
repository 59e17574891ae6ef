import CSQLite
import Relay

/// One use of a prepared statement: parameters in their order, then the rows, then `reset`.
///
/// A statement that is not reset keeps its transaction open, so that every path ends with `run`
/// (which resets) or with `defer { statement.reset() }`.
///
/// Bindings are not cleared: every use binds all parameters anew before it steps. Only what SQLite
/// had to copy to its heap goes at once.
struct Statement {
  private let handle: OpaquePointer
  private let database: Database
  private let scratch: UnsafeMutableRawPointer?
  private var scratchUsed = 0
  private var isHeapUsed = false
  private var position: Int32 = 0
  /// The first error of a binding; reported by the step.
  private var code = SQLITE_OK

  /// `scratch`: `scratchBytes` that live as long as the prepared statement.
  init(
    _ handle: OpaquePointer, of database: Database, scratch: UnsafeMutableRawPointer? = nil
  ) {
    self.handle = handle
    self.database = database
    self.scratch = scratch
  }

  /// Enough for the short texts of one row; what does not fit, SQLite copies to its heap.
  static let scratchBytes = 512

  var path: String { database.path }

  // MARK: parameters

  mutating func add(_ value: Int64) {
    position += 1
    keep(sqlite3_bind_int64(handle, position, value))
  }

  mutating func add(_ value: Int) { add(Int64(value)) }
  mutating func add(_ value: UInt8) { add(Int64(value)) }
  mutating func add(_ value: Bool) { add(value ? 1 as Int64 : 0) }
  mutating func add(_ value: WallTime) { add(value.nanoseconds) }

  mutating func addNull() {
    position += 1
    keep(sqlite3_bind_null(handle, position))
  }

  mutating func add(_ value: WallTime?) {
    if let value { add(value) } else { addNull() }
  }

  mutating func add(_ value: String) {
    position += 1
    var value = value
    keep(
      value.withUTF8 { text in
        let (start, destructor) = lasting(UnsafeRawBufferPointer(text))
        return sqlite3_bind_text(
          handle, position, start?.assumingMemoryBound(to: CChar.self), Int32(text.count),
          destructor)
      })
  }

  mutating func add(_ value: [UInt8]) {
    position += 1
    keep(value.withUnsafeBytes { bindCopy($0) })
  }

  mutating func add(_ value: UUIDBytes) {
    position += 1
    keep(withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) { bindCopy($0) })
  }

  mutating func add(_ value: UUIDBytes?) {
    if let value { add(value) } else { addNull() }
  }

  mutating func add(_ value: SQLValue) {
    switch value {
    case .null: addNull()
    case .integer(let number): add(number)
    case .real(let number):
      position += 1
      keep(sqlite3_bind_double(handle, position, number))
    case .text(let text): add(text)
    case .blob(let bytes): add(bytes)
    }
  }

  private mutating func bindCopy(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    let (start, destructor) = lasting(bytes)
    return bind(UnsafeRawBufferPointer(start: start, count: bytes.count), destructor)
  }

  /// Bytes that outlive the call: copied to the scratch while it has room, otherwise by SQLite,
  /// which takes an allocation for each.
  private mutating func lasting(
    _ bytes: UnsafeRawBufferPointer
  ) -> (UnsafeRawPointer?, sqlite3_destructor_type?) {
    guard let scratch, let start = bytes.baseAddress,
      bytes.count <= Self.scratchBytes - scratchUsed
    else {
      isHeapUsed = true
      return (bytes.baseAddress, relay_sqlite_transient())
    }
    let copy = scratch + scratchUsed
    copy.copyMemory(from: start, byteCount: bytes.count)
    scratchUsed += bytes.count
    return (UnsafeRawPointer(copy), nil)
  }

  private func bind(
    _ bytes: UnsafeRawBufferPointer, _ destructor: sqlite3_destructor_type?
  ) -> Int32 {
    // A null pointer would bind NULL, not an empty blob.
    guard let start = bytes.baseAddress, !bytes.isEmpty else {
      return sqlite3_bind_zeroblob(handle, position, 0)
    }
    return sqlite3_bind_blob64(handle, position, start, UInt64(bytes.count), destructor)
  }

  private mutating func keep(_ code: Int32) {
    if self.code == SQLITE_OK { self.code = code }
  }

  // MARK: running

  /// Runs a statement that returns no rows.
  mutating func run() throws(StoreError) {
    let code = self.code == SQLITE_OK ? sqlite3_step(handle) : self.code
    try finish(code)
  }

  /// Runs the statement with a last parameter that may be large: it is read in place, not copied.
  mutating func run(last bytes: [UInt8]) throws(StoreError) {
    position += 1
    let code = bytes.withUnsafeBytes { bytes in
      let bound = self.code == SQLITE_OK ? bind(bytes, nil) : self.code
      return bound == SQLITE_OK ? sqlite3_step(handle) : bound
    }
    try finish(code)
  }

  /// Runs a change of one row that must be there.
  mutating func runOnOneRow(_ call: String) throws(StoreError) {
    try run()
    guard sqlite3_changes(database.handle) == 1 else {
      throw StoreError(
        kind: .workspaceFatal, call: call, path: database.path,
        message: "the row is missing: somebody else has changed the file")
    }
  }

  private func finish(_ code: Int32) throws(StoreError) {
    // The error is made before the reset, which would clear its message.
    let failure = code == SQLITE_DONE ? nil : database.error(code, "step")
    reset()
    if let failure { throw failure }
  }

  /// `true` while there is a row.
  mutating func step() throws(StoreError) -> Bool {
    let code = self.code == SQLITE_OK ? sqlite3_step(handle) : self.code
    if code == SQLITE_ROW { return true }
    guard code == SQLITE_DONE else { throw database.error(code, "step") }
    return false
  }

  func reset() {
    _ = sqlite3_reset(handle)
    if isHeapUsed { _ = sqlite3_clear_bindings(handle) }
  }

  // MARK: columns

  func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func value(_ column: Int32) -> SQLValue {
    switch sqlite3_column_type(handle, column) {
    case SQLITE_NULL: .null
    case SQLITE_INTEGER: .integer(int(column))
    case SQLITE_FLOAT: .real(sqlite3_column_double(handle, column))
    case SQLITE_TEXT: .text(text(column))
    default: .blob(bytes(column))
    }
  }

  var columns: Int32 { sqlite3_column_count(handle) }

  func time(_ column: Int32) -> WallTime { WallTime(nanoseconds: int(column)) }

  func timeOrNil(_ column: Int32) -> WallTime? { isNull(column) ? nil : time(column) }

  func byte(_ column: Int32) -> UInt8 { UInt8(clamping: int(column)) }

  func text(_ column: Int32) -> String { String(decoding: buffer(column), as: UTF8.self) }

  func bytes(_ column: Int32) -> [UInt8] { [UInt8](buffer(column)) }

  func isUUID(_ column: Int32) -> Bool {
    sqlite3_column_type(handle, column) == SQLITE_BLOB && buffer(column).count == 16
  }

  func isInteger(_ column: Int32) -> Bool {
    sqlite3_column_type(handle, column) == SQLITE_INTEGER
  }

  func uuid(_ column: Int32) -> UUIDBytes {
    let bytes = buffer(column)
    guard bytes.count == 16 else { return UUIDBytes(high: 0, low: 0) }
    return UUIDBytes(
      high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  /// Valid until the next step. The length is asked for after the pointer (SQLite: "the safest").
  private func buffer(_ column: Int32) -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
  }
}
