import Glibc
import System

/// SQLite's write-ahead log as it lies on the disk (sqlite.org/fileformat2.html, "The Write-Ahead
/// Log"), read without SQLite.
///
/// SQLite takes a log up to its last whole transaction and says nothing of what follows. A process
/// that was killed has written its frames in order, so a transaction that is whole behind one that
/// is not means damage. After a power cut it may only mean that the disk was in the middle of
/// writing something that nobody was told of.
enum WALFormat {
  private static let headerBytes = 32
  private static let frameHeaderBytes = 24
  private static let frameBytes = frameHeaderBytes + Database.pageBytes
  private static let framesInSlice = 64

  static func bytes(frames: Int) -> Int64 {
    frames == 0 ? 0 : Int64(headerBytes + frames * frameBytes)
  }

  /// Returns what is wrong with the log and how to go on without it; `nil` if nothing can be told.
  static func damage(_ path: String) throws(StoreError) -> String? {
    let size = Files.size(path)
    guard size > headerBytes else { return nil }
    let header = try Files.slice(of: path, at: 0, count: headerBytes)
    guard header.count == headerBytes, let isBigEndian = isBigEndian(header) else {
      return damage(path, at: 0, "its header is damaged")
    }
    var sum = Checksum(isBigEndian: isBigEndian)
    sum.add(header, 0..<24)
    guard sum.stands(in: header, at: 24) else {
      return damage(path, at: 0, "its header is damaged")
    }
    return try brokenFrame(path, salts: header[16..<24], sum)
  }

  /// Looks for the first frame that does not follow from those before it, and then for the end of a
  /// transaction behind it. Frames of an earlier use of the file have other salts.
  private static func brokenFrame(
    _ path: String, salts: ArraySlice<UInt8>, _ sum: Checksum
  ) throws(StoreError) -> String? {
    var sum = sum
    var frame = 0
    var broken: Int?
    while true {
      let slice = try Files.slice(
        of: path, at: bytes(frames: frame) + (frame == 0 ? Int64(headerBytes) : 0),
        count: framesInSlice * frameBytes)
      let frames = slice.count / frameBytes
      for start in (0..<frames).map({ $0 * frameBytes }) {
        let isCurrent = slice[start + 8..<start + 16].elementsEqual(salts)
        if let broken {
          let isEnd = slice[start + 4..<start + 8].contains { $0 != 0 }
          if isCurrent, isEnd {
            return damage(
              path, at: bytes(frames: broken),
              "frame \(broken + 1) is damaged, and at least \(frame - broken) follow it")
          }
        } else {
          sum.add(slice, start..<start + 8)
          sum.add(slice, start + frameHeaderBytes..<start + frameBytes)
          if !isCurrent || !sum.stands(in: slice, at: start + 16) { broken = frame }
        }
        frame += 1
      }
      if frames < framesInSlice { return nil }
    }
  }

  private static func damage(_ path: String, at bytes: Int64, _ what: String) -> String {
    "\(what), so that messages may be missing; restore a backup, or go on without them: "
      + "truncate -s \(bytes) \(path)"
  }

  /// Returns whether the checksums read words as big-endian; `nil` if the header is not that of a
  /// log.
  private static func isBigEndian(_ header: [UInt8]) -> Bool? {
    switch Checksum.word(header, 0, isBigEndian: true) {
    case 0x377F_0682: false
    case 0x377F_0683: true
    default: nil
    }
  }

  private struct Checksum {
    let isBigEndian: Bool
    private var first: UInt32 = 0
    private var second: UInt32 = 0

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    mutating func add(_ bytes: [UInt8], _ range: Range<Int>) {
      var index = range.lowerBound
      while index < range.upperBound {
        first &+= Self.word(bytes, index, isBigEndian: isBigEndian) &+ second
        second &+= Self.word(bytes, index + 4, isBigEndian: isBigEndian) &+ first
        index += 8
      }
    }

    /// Checksums are stored big-endian, whatever they were made of.
    func stands(in bytes: [UInt8], at index: Int) -> Bool {
      Self.word(bytes, index, isBigEndian: true) == first
        && Self.word(bytes, index + 4, isBigEndian: true) == second
    }

    static func word(_ bytes: [UInt8], _ index: Int, isBigEndian: Bool) -> UInt32 {
      let word = bytes.withUnsafeBytes {
        $0.loadUnaligned(fromByteOffset: index, as: UInt32.self)
      }
      return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
    }
  }
}
