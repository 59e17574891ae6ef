import Relay
import Wire

/// What a caller without a credential gets with its message, and shows to read that later. It is
/// kept nowhere: the relay can make it again.
struct MessageReceipts {
  private let key: [UInt8]

  /// - `key`: the relay's own, from relay.db.
  init(key: String) { self.key = Array(key.utf8) }

  func receipt(of id: MessageID) -> String {
    Base64.encodeURL(HMACSHA256.authenticate(Array(id.text.utf8), key: key).bytes)
  }

  /// Compares in constant time.
  func isReceipt(_ shown: ArraySlice<UInt8>, of id: MessageID) -> Bool {
    ConstantTime.equal(Array(receipt(of: id).utf8)[...], shown)
  }
}
