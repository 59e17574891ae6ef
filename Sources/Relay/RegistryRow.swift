/// A row of the registry as it goes from one relay to another: by the names of its columns, so that
/// whatever belongs to a workspace goes with it.
package struct RegistryRow: Sendable, Equatable {
  package var table: String
  package var columns: [String]
  package var values: [SQLValue]

  package init(table: String, columns: [String], values: [SQLValue]) {
    self.table = table
    self.columns = columns
    self.values = values
  }

  package subscript(column: String) -> SQLValue? {
    columns.firstIndex(of: column).map { values[$0] }
  }
}

/// What a column may hold.
package enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}
