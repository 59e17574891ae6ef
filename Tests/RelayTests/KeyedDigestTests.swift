import Testing

@testable import Relay

@Suite struct KeyedDigestTests {
  /// Bytes 00, 01, 02 … as the words that SipHash reads.
  private static let key = DigestKey(
    secret: UUIDBytes(high: 0x0706_0504_0302_0100, low: 0x0F0E_0D0C_0B0A_0908))

  private func digest(_ fields: [UInt8]...) -> UUIDBytes {
    var digest = KeyedDigest(Self.key)
    for field in fields { digest.update(field[...]) }
    return digest.value
  }

  // `openssl mac -macopt hexkey:000102…0f -macopt size:16 SIPHASH` of the bytes 00, 01, 02 …
  @Test func `it is SipHash-2-4 with 128 bits`() {
    var digest = KeyedDigest(Self.key)
    digest.update(0x0706_0504_0302_0100)
    let eight: [UInt64] = [0x3B62_A9BA_6258_F561, 0x0F83_E264_F314_97B4]
    #expect(digest.value == UUIDBytes(high: eight[0].byteSwapped, low: eight[1].byteSwapped))
    digest.update(0x0F0E_0D0C_0B0A_0908)
    let sixteen: [UInt64] = [0x6EE2_A4CA_67B0_54BB, 0xFD33_15BF_8523_0577]
    #expect(digest.value == UUIDBytes(high: sixteen[0].byteSwapped, low: sixteen[1].byteSwapped))
  }

  @Test func `fields count one by one, and each of their bytes`() {
    var all: Set<UUIDBytes> = [digest()]
    var count = 1
    for length in 0..<40 {
      for place in [Int?.none] + (0..<length).map(Optional.some) {
        var bytes = [UInt8](repeating: 0, count: length)
        if let place { bytes[place] = 1 }
        all.insert(digest(bytes))
        count += 1
      }
    }
    #expect(all.count == count)
    #expect(digest([1], [2, 3]) != digest([1, 2], [3]))
    #expect(digest([1], []) != digest([], [1]) && digest([1]) != digest([1], []))
    let slice: [UInt8] = [9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    var ofSlice = KeyedDigest(Self.key)
    ofSlice.update(slice[2...])
    #expect(ofSlice.value == digest(Array(slice[2...])))
  }

  @Test func `another key gives another digest`() {
    let other = DigestKey(secret: UUIDBytes(high: 1, low: 2))
    #expect(KeyedDigest(other).of([1]) != KeyedDigest(Self.key).of([1]))
  }

  @Test func `calls with one digest attach to the message of their own caller alone`() {
    let queue = Queue(limits: Limits(), boot: 1, seed: 1, fencesAbove: 0)
    let now = Now(instant: Instant(nanoseconds: 1), wall: WallTime(nanoseconds: 1))
    let dedup = UUIDBytes(high: 7, low: 7)
    for caller in ["org:ann", "org:ben"] {
      #expect(queue.attachable(dedup, of: caller) == nil)
      let seq = queue.nextSeq()
      queue.arrive(
        NewMessage(
          seq: seq, tag: 7, at: now.wall, expires: .never, caller: caller, method: 1, dialect: 1,
          task: seq, context: "c", messageID: "m", dedup: dedup, rpcID: [], head: [], body: [],
          isImmediate: false), now: now)
    }
    #expect(queue.attachable(dedup, of: "org:ann")?.seq == 1)
    #expect(queue.attachable(dedup, of: "org:ben")?.seq == 2)
    queue.received(1, isEnd: true, now: now)
    #expect(queue.attachable(dedup, of: "org:ann") == nil)
    #expect(queue.attachable(dedup, of: "org:ben")?.seq == 2)
  }
}
