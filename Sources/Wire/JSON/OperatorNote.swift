/// What a workspace's file keeps of an operator's operation on a message: who it was, and more.
package enum OperatorNote {
  /// Returns the note as the file keeps it.
  package static func bytes(_ actor: String, _ members: [(String, String)] = []) -> [UInt8] {
    var json: JSON = ["actor": .string(actor)]
    for (name, value) in members { json[name] = .string(value) }
    return json.bytes
  }
}
