/// Takes the chunked coding off a body: RFC 9112 §7.1.
struct HTTPChunkedDecoder: Sendable {
  private enum Phase {
    case size
    case data(missing: Int)
    case dataEnd
    case trailers(bytes: Int, fields: Int)
  }

  private var phase = Phase.size

  /// Moves what is there to the end of `body`; true once the last chunk and trailers are read.
  ///
  /// `bodyMax` bounds `body.count`. It is checked against the announced size, before the bytes
  /// come.
  mutating func read(
    _ input: inout HTTPInput, into body: inout [UInt8], bodyMax: Int, limits: HTTPLimits
  ) throws(HTTPFailure) -> Bool {
    while true {
      switch phase {
      case .size:
        guard let size = try Self.nextSize(&input, limits: limits) else { return false }
        guard size <= bodyMax - body.count else {
          throw HTTPFailure(.bodyTooLarge, limit: bodyMax)
        }
        phase = size == 0 ? .trailers(bytes: 0, fields: 0) : .data(missing: size)
      case .data(let missing):
        let count = min(missing, input.count)
        input.move(count, to: &body)
        guard count == missing else {
          phase = .data(missing: missing - count)
          return false
        }
        phase = .dataEnd
      case .dataEnd:
        guard try Self.dataEnd(&input) else { return false }
        phase = .size
      case .trailers(let bytes, let fields):
        return try readTrailers(&input, bytes: bytes, fields: fields, limits: limits)
      }
    }
  }

  private static func nextSize(_ input: inout HTTPInput, limits: HTTPLimits)
    throws(HTTPFailure) -> Int?
  {
    let most = limits.chunkLineBytesMax
    let tooLong = HTTPFailure(.chunkLineTooLong, limit: most)
    guard let line = try input.nextLine(most: most, else: tooLong) else { return nil }
    let size = try size(input.bytes[line])
    input.consume()
    return size
  }

  /// `1*HEXDIG [chunk-ext]`. An extension is ignored (RFC 9112 §7.1.1), but must not hold a
  /// control.
  private static func size(_ line: ArraySlice<UInt8>) throws(HTTPFailure) -> Int {
    var size = 0
    var index = line.startIndex
    while index < line.endIndex, let digit = Hex.value(of: line[index]) {
      // RFC 9112 §7.1: a recipient must anticipate numbers that overflow.
      guard size <= Int.max >> 4 else { throw HTTPFailure(.malformedChunk) }
      size = size << 4 | Int(digit)
      index += 1
    }
    guard index > line.startIndex else { throw HTTPFailure(.malformedChunk) }
    guard index < line.endIndex else { return size }
    // The grammar has bad white space here; no sender needs it and smugglers do.
    guard line[index] == HTTPCharacter.semicolon,
      line[index...].allSatisfy(HTTPCharacter.isFieldValue)
    else { throw HTTPFailure(.malformedChunk) }
    return size
  }

  /// The CR LF after a chunk's data, each byte as soon as it is there.
  private static func dataEnd(_ input: inout HTTPInput) throws(HTTPFailure) -> Bool {
    if input.count > 0 && input.bytes[input.start] != HTTPCharacter.carriageReturn {
      throw HTTPFailure(.malformedChunk)
    }
    guard input.count > 1 else { return false }
    guard input.bytes[input.start + 1] == HTTPCharacter.lineFeed else {
      throw HTTPFailure(.malformedChunk)
    }
    input.skip(2)
    return true
  }

  /// RFC 9112 §7.1.2: trailers may be discarded. They are checked and bounded like a head.
  private mutating func readTrailers(
    _ input: inout HTTPInput, bytes: Int, fields: Int, limits: HTTPLimits
  ) throws(HTTPFailure) -> Bool {
    let most = limits.headBytesMax
    var bytes = bytes
    var fields = fields
    let tooLong = HTTPFailure(.trailersTooLarge, limit: most)
    while let line = try input.nextLine(most: most - bytes, else: tooLong) {
      bytes += line.count + 2
      if line.isEmpty {
        input.consume()
        return true
      }
      fields += 1
      guard fields <= limits.headersMax else {
        throw HTTPFailure(.tooManyHeaders, limit: limits.headersMax)
      }
      _ = try HTTPFieldLine.parse(line, of: input.bytes, base: 0)
      input.consume()
    }
    phase = .trailers(bytes: bytes, fields: fields)
    return false
  }
}
