/// The control of the others: a reader with a bug that only a JSON object of some length reaches.
/// `Tests/Fuzz/run Control 30` must find it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard (try? JSONScanner.validate(bytes.span)) != nil, bytes.first == UInt8(ascii: "{") else {
    return 0
  }
  precondition(count < 8, "the planted bug")
  return 0
}
