import Relay

/// The table of secrets. Blanked on the disk when they go (`secure_delete`).
extension RegistryFile {
  func secrets() throws(StoreError) -> [RegisteredSecret] {
    var row = try statement(.secrets)
    defer { row.reset() }
    var secrets: [RegisteredSecret] = []
    while try row.step() {
      guard row.isUUID(0), Ranges.isTime(row.time(3)), Ranges.isTime(row.time(4)) else {
        throw row.damaged("id or time of a secret")
      }
      secrets.append(
        RegisteredSecret(
          workspace: WorkspaceID(row.uuid(0)), key: row.text(1), value: row.text(2),
          createdAt: row.time(3), updatedAt: row.time(4)))
    }
    return secrets
  }

  func put(_ secret: RegisteredSecret) throws(StoreError) {
    var row = try statement(.putSecret)
    row.add(secret.workspace.bytes)
    row.add(secret.key)
    row.add(secret.value)
    row.add(secret.createdAt)
    row.add(secret.updatedAt)
    try row.run()
  }

  /// Deletes a secret, if it exists.
  func deleteSecret(_ id: WorkspaceID, _ key: String) throws(StoreError) {
    var row = try statement(.deleteSecret)
    row.add(id.bytes)
    row.add(key)
    try row.run()
  }
}
