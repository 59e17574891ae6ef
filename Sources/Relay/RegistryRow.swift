/// A row of the registry on its way from one relay to another, by the names of its columns: so
/// every column of a workspace goes along.
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

/// The value of a column.
package enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}
