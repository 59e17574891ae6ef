import System

/// The flags of every command that asks a relay.
enum CommonFlags {
  static let all = [
    Flag("relay", "URL", "the relay (default http://127.0.0.1:8080; env A2A_RELAY_URL)"),
    Flag(
      "token-file", "FILE",
      "the credential (default env A2A_RELAY_TOKEN, ADMIN_TOKEN, else DATA/admin-token)"),
    Flag(
      "data", "DIRECTORY",
      "the relay's data directory (env A2A_RELAY_DATA; default ./relay-data, else "
        + "\(OperatorPlace.Installation.documented.data))"),
    Flag("json", nil, "print the relay's JSON as it is"),
  ]
}
