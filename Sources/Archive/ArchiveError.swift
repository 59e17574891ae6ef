package import Store

/// Why a backup was not made, restored or imported, in words for the operator who asked.
package struct ArchiveError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// What was asked for is not possible as things are.
    case refused
    /// What is there is not what its manifest says.
    case damaged
    /// There is not enough room.
    case full
    /// A file could not be read or written.
    case io
  }

  package var kind: Kind
  package var text: String
  package var description: String { text }

  package init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }

  package init(_ error: StoreError) {
    kind = error.kind == .full ? .full : error.kind == .busy ? .refused : .io
    text = error.description
  }
}

/// Runs what fails as the store does.
func reading<Value>(
  _ body: () throws(StoreError) -> Value
) throws(ArchiveError) -> Value {
  do throws(StoreError) { return try body() } catch { throw ArchiveError(error) }
}
