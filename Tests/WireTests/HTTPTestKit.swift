import Testing

@testable import Wire

/// Feeds parsers in every way a network can cut the same bytes.
enum HTTPTestKit {
  /// The whole input, the input cut in two at every byte, and one byte at a time.
  static func cuts(of bytes: [UInt8]) -> [[[UInt8]]] {
    var cuts = [[bytes], bytes.map { [$0] }]
    for index in 1..<max(bytes.count, 1) {
      cuts.append([Array(bytes[..<index]), Array(bytes[index...])])
    }
    return cuts
  }

  static func steps(
    of pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits()
  ) -> [HTTPRequestParser.Step] {
    var parser = HTTPRequestParser(limits: limits)
    var steps: [HTTPRequestParser.Step] = []
    for piece in pieces {
      parser.receive(piece)
      while true {
        let step = parser.next()
        if step == .needMore { break }
        steps.append(step)
        if case .failure = step { return steps }
      }
    }
    return steps
  }

  /// The steps of one input, after checking that no way of cutting it changes them.
  static func steps(
    of text: String, limits: HTTPLimits = HTTPLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> [HTTPRequestParser.Step] {
    let bytes = Array(text.utf8)
    let whole = steps(of: [bytes], limits: limits)
    for pieces in cuts(of: bytes) where steps(of: pieces, limits: limits) != whole {
      Issue.record(
        "another result when cut after \(pieces[0].count)", sourceLocation: sourceLocation)
    }
    return whole
  }

  /// The head of the only request in `text`.
  static func head(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> HTTPRequestHead {
    let steps = steps(of: text, sourceLocation: sourceLocation)
    guard case .head(let head) = steps.first else {
      Issue.record("no head but \(steps)", sourceLocation: sourceLocation)
      throw HTTPFailure(.malformedRequestLine)
    }
    return head
  }

  static func failure(
    _ text: String, limits: HTTPLimits = HTTPLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> HTTPFailure? {
    let steps = steps(of: text, limits: limits, sourceLocation: sourceLocation)
    guard case .failure(let failure) = steps.last else { return nil }
    return failure
  }

  static func bodies(_ steps: [HTTPRequestParser.Step]) -> [String] {
    steps.compactMap { step in
      if case .body(let body) = step { return String(decoding: body, as: UTF8.self) }
      return nil
    }
  }
}

/// A response as a client saw it, its body in one piece.
struct HTTPSeen: Equatable {
  var interim: [Int] = []
  var head: HTTPResponseHead?
  var body: [UInt8] = []
  var ended = false
  var failure: HTTPFailure?

  static func responses(
    in pieces: [[UInt8]], closed: Bool = false, isHead: Bool = false
  ) -> [HTTPSeen] {
    var parser = HTTPResponseParser(limits: HTTPLimits(), isHead: isHead)
    var seen = [HTTPSeen()]
    func drain() {
      while true {
        let last = seen.count - 1
        switch parser.next() {
        case .needMore: return
        case .interim(let head): seen[last].interim.append(head.status)
        case .head(let head): seen[last].head = head
        case .bodyPart(let part): seen[last].body += part
        case .end:
          seen[last].ended = true
          seen.append(HTTPSeen())
        case .failure(let failure):
          seen[last].failure = failure
          return
        }
      }
    }
    for piece in pieces {
      parser.receive(piece)
      drain()
    }
    if closed {
      parser.peerClosed()
      drain()
    }
    if seen.last == HTTPSeen() { seen.removeLast() }
    return seen
  }

  /// The responses in one input, after checking that no way of cutting it changes them.
  static func responses(
    in bytes: [UInt8], closed: Bool = false, isHead: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> [HTTPSeen] {
    let whole = responses(in: [bytes], closed: closed, isHead: isHead)
    for pieces in HTTPTestKit.cuts(of: bytes)
    where responses(in: pieces, closed: closed, isHead: isHead) != whole {
      Issue.record(
        "another result when cut after \(pieces[0].count)", sourceLocation: sourceLocation)
    }
    return whole
  }
}
