import Relay
import Wire

/// The receipts that let callers without a credential read their message later. The relay derives a
/// receipt from the message id and its own key, and stores none.
struct MessageReceipts {
  private let key: [UInt8]

  /// Makes the receipts of one relay.
  ///
  /// - `key`: the relay's secret key from relay.db.
  init(key: String) { self.key = Array(key.utf8) }

  func receipt(of id: MessageID) -> String {
    Base64.encodeURL(HMACSHA256.authenticate(Array(id.text.utf8), key: key).bytes)
  }

  /// Returns whether the shown receipt is the message's. The comparison takes constant time.
  func isReceipt(_ shown: ArraySlice<UInt8>, of id: MessageID) -> Bool {
    ConstantTime.equal(Array(receipt(of: id).utf8)[...], shown)
  }
}
