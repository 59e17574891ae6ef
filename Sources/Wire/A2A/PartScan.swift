/// One part of a message or artifact, walked once: what it holds, and which dialects it fits.
///
/// 0.3 §6.5: `kind` names text, file or data. 1.0 §4.1.6: exactly one of text, raw, url, data.
/// Also taken, because real clients send them: `type` for `kind`, and a 0.3 text part without
/// either.
struct PartScan {
  var kind = Field.absent
  var oldType = Field.absent
  var text = Field.absent
  var raw = Field.absent
  var url = Field.absent
  var data: Range<Int>?
  var isDataObject = false
  var file: Range<Int>?
  /// The fault of `file`, `metadata`, `filename` or `mediaType`, in any dialect.
  var problem: StaticString?
  var fileProblem: StaticString?
  var hasSnakeCase = false
  /// Its file is base64, but not in the form that every reader decodes.
  var isLoose = false
  /// There are other members than `text` and those that name the kind.
  var hasMore = false

  init(_ bytes: Span<UInt8>, _ scanner: inout JSONScanner) throws(JSONError) {
    var names = JSONScanner.Names()
    try scanner.enter(bytes)
    while let key = try scanner.nextKey(bytes, &names) {
      try member(key, bytes, &scanner)
    }
  }

  private mutating func member(
    _ key: JSONScanner.Text, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if key.equals("text", in: bytes) {
      text = try scanner.field(bytes)
    } else if key.equals("kind", in: bytes) {
      kind = try scanner.field(bytes)
    } else if key.equals("type", in: bytes) {
      oldType = try scanner.field(bytes)
    } else {
      hasMore = true
      try further(key, bytes, &scanner)
    }
  }

  private mutating func further(
    _ key: JSONScanner.Text, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if key.equals("data", in: bytes) {
      isDataObject = try scanner.kind(bytes) == .object
      data = try scanner.skip(bytes)
    } else if key.equals("raw", in: bytes) {
      raw = try scanner.field(bytes)
      if let content = raw.text, !isBase64(content, bytes) { raw = .wrong }
    } else if key.equals("url", in: bytes) {
      url = try scanner.field(bytes)
    } else if key.equals("file", in: bytes) {
      try scanFile(bytes, &scanner)
    } else if key.equals("metadata", in: bytes) {
      if try !scanner.isObjectOrNull(bytes) { problem = "metadata must be an object" }
    } else if key.equals("filename", in: bytes) {
      if try scanner.field(bytes).isWrong { problem = "filename must be a string" }
    } else if key.equals("mediaType", in: bytes) {
      if try scanner.field(bytes).isWrong { problem = "mediaType must be a string" }
    } else if key.equals("media_type", in: bytes) {
      hasSnakeCase = true
      if try scanner.field(bytes).isWrong { problem = "media_type must be a string" }
    } else {
      try scanner.skip(bytes)
    }
  }

  private mutating func isBase64(_ text: JSONScanner.Text, _ bytes: Span<UInt8>) -> Bool {
    let shape = Base64Shape(text, in: bytes)
    if shape == .loose { isLoose = true }
    return shape != .wrong
  }

  /// 0.3 §6.6: `file` holds `bytes` or `uri`.
  private mutating func scanFile(
    _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    fileProblem = nil
    guard try scanner.kind(bytes) == .object else {
      file = try scanner.skip(bytes)
      fileProblem = "file must be an object"
      return
    }
    let start = scanner.index
    var content = 0
    var names = JSONScanner.Names()
    try scanner.enter(bytes)
    while let key = try scanner.nextKey(bytes, &names) {
      if key.equals("bytes", in: bytes) || key.equals("uri", in: bytes) {
        switch try scanner.field(bytes) {
        case .absent: break
        case .wrong: fileProblem = "file.bytes and file.uri must be strings"
        case .text(let value):
          content += 1
          if key.equals("bytes", in: bytes), !isBase64(value, bytes) {
            fileProblem = "file.bytes must be base64"
          }
        }
      } else if key.equals("name", in: bytes) || key.equals("mimeType", in: bytes) {
        if try scanner.field(bytes).isWrong {
          fileProblem = "file.name and file.mimeType must be strings"
        }
      } else {
        try scanner.skip(bytes)
      }
    }
    file = start..<scanner.index
    if fileProblem == nil && content != 1 {
      fileProblem = "file must hold exactly one of bytes and uri"
    }
  }

  /// The discriminator of 0.3, under its name or its old one.
  private var discriminator: Field { kind.isAbsent ? oldType : kind }

  /// The fault that a 0.3 reader would find.
  func problem03(_ bytes: Span<UInt8>) -> StaticString? {
    if let problem { return problem }
    guard case .text(let name) = discriminator else {
      guard discriminator.isAbsent, text.text != nil else {
        return "kind must be \"text\", \"file\" or \"data\""
      }
      return nil
    }
    if name.equals("text", in: bytes) {
      return text.text == nil ? "text must be a string" : nil
    } else if name.equals("file", in: bytes) {
      return file == nil ? "file is missing" : fileProblem
    } else if name.equals("data", in: bytes) {
      return isDataObject ? nil : "data must be an object"
    }
    return "kind must be \"text\", \"file\" or \"data\""
  }

  /// The fault that a 1.0 reader would find.
  var problem10: StaticString? {
    if let problem { return problem }
    if text.isWrong { return "text must be a string" }
    if raw.isWrong { return "raw must be a base64 string" }
    if url.isWrong { return "url must be a string" }
    let content =
      (text.isAbsent ? 0 : 1) + (raw.isAbsent ? 0 : 1) + (url.isAbsent ? 0 : 1)
      + (data == nil ? 0 : 1)
    return content == 1 ? nil : "exactly one of text, raw, url and data is needed"
  }

  func problem(in dialect: Dialect, _ bytes: Span<UInt8>) -> StaticString? {
    dialect == .v03 ? problem03(bytes) : problem10
  }

  /// A 0.3 discriminator makes it a 0.3 part, wherever it came from.
  var ownDialect: Dialect { discriminator.isAbsent ? .v10 : .v03 }

  /// Returns whether the part's bytes are valid in the dialect unchanged.
  func isNative(to dialect: Dialect, _ bytes: Span<UInt8>) -> Bool {
    if isLoose { return false }
    return switch dialect {
    case .v03: kind.text != nil && problem03(bytes) == nil
    case .v10: discriminator.isAbsent && file == nil && !hasSnakeCase && problem10 == nil
    }
  }
}
