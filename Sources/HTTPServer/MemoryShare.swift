import Relay
import Wire

/// The bytes that one connection holds of the loop's memory account.
struct MemoryShare {
  /// Whose share the bytes of body and answer are.
  private(set) var payer = BodyMemory.Payer.nobody
  /// Bytes of the request's body.
  private var body = 0
  /// Bytes of an answer that have not left.
  private var answer = 0
  /// Bytes of a head that is not whole, and of requests behind the one in work.
  private var head = 0

  /// Counts an announced body before its bytes come. Returns false, and counts nothing, if it does
  /// not fit.
  ///
  /// For a payer who shows no credential only the bytes that come are counted: a word costs such a
  /// peer nothing. A body that is larger than allowed is left to the parser, which refuses it.
  mutating func reserve(
    _ framing: HTTPFraming, bodyMax: Int, for payer: BodyMemory.Payer, in memory: BodyMemory
  ) -> Bool {
    self.payer = payer
    guard memory.mayAnswer(payer) else { return false }
    guard case .length(let length) = framing, length > 0, length <= bodyMax else { return true }
    guard memory.fits(length, of: payer) else { return false }
    if payer != .anonymous { setBody(length, in: memory) }
    return true
  }

  /// `received` bytes of the body are there. Returns false if they are more than was counted and do
  /// not fit; they count all the same, until they are released.
  mutating func bodyGrows(to received: Int, in memory: BodyMemory) -> Bool {
    let growth = received - body
    guard growth > 0 else { return true }
    let fits = memory.fits(growth, of: payer)
    setBody(received, in: memory)
    return fits
  }

  /// Counts the body with this size.
  mutating func setBody(_ bytes: Int, in memory: BodyMemory) {
    guard bytes != body else { return }
    memory.body(bytes - body, of: payer)
    body = bytes
  }

  /// Counts the part of a head, or of further requests, that is held.
  mutating func setHead(_ bytes: Int, in memory: BodyMemory) {
    guard bytes != head else { return }
    memory.head(bytes - head)
    head = bytes
  }

  /// Counts the part of the answer that has not left.
  mutating func setAnswer(_ bytes: Int, in memory: BodyMemory) {
    guard bytes != answer else { return }
    memory.answer(bytes - answer, for: payer)
    answer = bytes
  }
}
