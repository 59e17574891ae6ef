package import Store

/// The reason why a backup was not made, restored or imported, in words for the operator.
package struct ArchiveError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// The request is not possible as things are.
    case refused
    /// A file is not what the manifest says.
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
