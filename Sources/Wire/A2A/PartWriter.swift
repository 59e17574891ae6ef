/// Writes parts in a dialect (0.3 §6.5, 1.0 §4.1.6 and appendix A.2.1). A part that fits already
/// is copied; from others the values are copied and only their frame is new.
///
/// 1.0 allows any data value, 0.3 only objects: another value travels as `{"value":…}` with
/// `data_part_compat` in the metadata, as the official SDKs do it.
enum PartWriter {
  /// The array of all parts at `range`.
  static func writeArray(
    _ body: [UInt8], _ range: Range<Int>, as dialect: Dialect, into writer: inout JSONWriter
  ) {
    writer.beginArray()
    writeAll(body, range, as: dialect, into: &writer)
    writer.endArray()
  }

  static func writeAll(
    _ body: [UInt8], _ range: Range<Int>, as dialect: Dialect, into writer: inout JSONWriter
  ) {
    for part in JSONMembers.elements(body.span, in: range) {
      write(body, part, as: dialect, into: &writer)
    }
  }

  static func writeText(_ text: String, as dialect: Dialect, into writer: inout JSONWriter) {
    writer.beginObject()
    writeKind("text", dialect, &writer)
    writer.key("text")
    writer.string(text)
    writer.endObject()
  }

  /// One part with texts of `body`, one a line.
  static func writeText(
    _ texts: [JSONScanner.Text], of body: [UInt8], as dialect: Dialect,
    into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writeKind("text", dialect, &writer)
    writer.key("text")
    writer.string(joining: texts, in: body)
    writer.endObject()
  }

  static func writeData(
    _ body: [UInt8], _ data: Range<Int>, as dialect: Dialect, into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writeKind("data", dialect, &writer)
    let isWrapped = writeDataMember(body, data, dialect, &writer)
    if isWrapped { writeMetadata(body, nil, isWrapped: true, &writer) }
    writer.endObject()
  }

  static func write(
    _ body: [UInt8], _ range: Range<Int>, as dialect: Dialect, into writer: inout JSONWriter
  ) {
    var scanner = JSONScanner(at: range.lowerBound)
    guard body[range.lowerBound] == UInt8(ascii: "{"),
      let scan = try? PartScan(body.span, &scanner), !scan.isNative(to: dialect, body.span)
    else {
      writer.raw(body[range])
      return
    }
    if !scan.hasMore, let text = scan.text.text {
      return writeRawText(body[text.range.lowerBound - 1...text.range.upperBound], dialect, &writer)
    }
    let members = JSONMembers(body.span, in: range)
    writer.beginObject()
    var isWrapped = false
    switch content(body, members) {
    case .file(let file): writeFile(body, file, dialect, &writer)
    case .text(let text):
      writeKind("text", dialect, &writer)
      writer.key("text")
      writer.raw(body[text])
    case .data(let data):
      writeKind("data", dialect, &writer)
      isWrapped = writeDataMember(body, data, dialect, &writer)
    case nil: break
    }
    if let metadata = members["metadata"] {
      writeMetadata(body, metadata.value, isWrapped: isWrapped, &writer)
    } else if isWrapped {
      writeMetadata(body, nil, isWrapped: true, &writer)
    }
    for member in members.list where !ownNames.contains(member.name) {
      writer.key(raw: body[member.key])
      writer.raw(body[member.value])
    }
    writer.endObject()
  }

  /// - `text`: with its quotes.
  private static func writeRawText(
    _ text: ArraySlice<UInt8>, _ dialect: Dialect, _ writer: inout JSONWriter
  ) {
    writer.beginObject()
    writeKind("text", dialect, &writer)
    writer.key("text")
    writer.raw(text)
    writer.endObject()
  }

  private static let ownNames: Set<String> = [
    "kind", "type", "text", "file", "raw", "url", "data", "metadata", "filename", "mediaType",
    "media_type",
  ]

  /// A file, whichever dialect describes it.
  private struct File {
    var bytes: Range<Int>?
    var uri: Range<Int>?
    var name: Range<Int>?
    var mediaType: Range<Int>?
  }

  private enum Content {
    case text(Range<Int>)
    case file(File)
    case data(Range<Int>)
  }

  /// The content of the part: the member that its 0.3 discriminator names, else any that exists.
  private static func content(_ body: [UInt8], _ members: JSONMembers) -> Content? {
    let named = members["kind"] ?? members["type"]
    let kind = named.flatMap { JSONMembers.string(body.span, at: $0.value) }
    // `data` may be null: 1.0 §4.1.6 allows any value.
    let data = members.list.last { $0.name == "data" }?.value
    if kind == "file", let file = members["file"], file.kind == .object {
      let inside = JSONMembers(body.span, in: file.value)
      return .file(
        File(
          bytes: inside["bytes"]?.value, uri: inside["uri"]?.value, name: inside["name"]?.value,
          mediaType: inside["mimeType"]?.value))
    }
    if kind == "data", let data { return .data(data) }
    if let text = members["text"] { return .text(text.value) }
    guard let content = members["raw", "url"] else { return data.map { .data($0) } }
    let isURL = content.name == "url"
    return .file(
      File(
        bytes: isURL ? nil : content.value, uri: isURL ? content.value : nil,
        name: members["filename"]?.value, mediaType: members["mediaType", "media_type"]?.value))
  }

  private static func writeFile(
    _ body: [UInt8], _ file: File, _ dialect: Dialect, _ writer: inout JSONWriter
  ) {
    let is03 = dialect == .v03
    writeKind("file", dialect, &writer)
    if is03 {
      writer.key("file")
      writer.beginObject()
    }
    func member(_ in03: StaticString, _ in10: StaticString, _ value: Range<Int>?) {
      guard let value else { return }
      writer.key(is03 ? in03 : in10)
      writer.raw(body[value])
    }
    if let content = file.bytes.flatMap({ Base64Shape.mended(body.span, at: $0) }) {
      writer.key(is03 ? "bytes" : "raw")
      writer.string(utf8: content)
    } else {
      member("bytes", "raw", file.bytes)
    }
    member("uri", "url", file.uri)
    member("name", "filename", file.name)
    member("mimeType", "mediaType", file.mediaType)
    if is03 { writer.endObject() }
  }

  private static func writeKind(
    _ kind: StaticString, _ dialect: Dialect, _ writer: inout JSONWriter
  ) {
    guard dialect == .v03 else { return }
    writer.key("kind")
    writer.string("\(kind)")
  }

  /// Returns true when the value had to be wrapped.
  private static func writeDataMember(
    _ body: [UInt8], _ data: Range<Int>, _ dialect: Dialect, _ writer: inout JSONWriter
  ) -> Bool {
    writer.key("data")
    if dialect == .v10 || body[data.lowerBound] == UInt8(ascii: "{") {
      writer.raw(body[data])
      return false
    }
    writer.beginObject()
    writer.key("value")
    writer.raw(body[data])
    writer.endObject()
    return true
  }

  private static func writeMetadata(
    _ body: [UInt8], _ metadata: Range<Int>?, isWrapped: Bool, _ writer: inout JSONWriter
  ) {
    writer.key("metadata")
    guard isWrapped else {
      if let metadata { writer.raw(body[metadata]) }
      return
    }
    writer.beginObject()
    if let metadata {
      for member in JSONMembers(body.span, in: metadata).list {
        writer.key(raw: body[member.key])
        writer.raw(body[member.value])
      }
    }
    writer.key("data_part_compat")
    writer.bool(true)
    writer.endObject()
  }
}
