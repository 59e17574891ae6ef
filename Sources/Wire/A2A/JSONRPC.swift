/// Whole JSON-RPC 2.0 response bodies (A2A 1.0 §9.1, 0.3 §6.11).
package enum JSONRPC {
  /// The response that carries an error. JSON-RPC 2.0 §5.1: the error object holds code, message
  /// and data, nothing else. `data` is the array of A2A 1.0 §9.5; 0.3 leaves its shape open, and
  /// its SDK keeps the same array.
  package static func error(_ error: A2AError) -> [UInt8] {
    var writer = JSONWriter(capacity: 384)
    writer.beginObject()
    writer.key("jsonrpc")
    writer.string("2.0")
    writer.key("id")
    writer.raw(error.id)
    writer.key("error")
    writer.beginObject()
    writer.key("code")
    writer.int(error.code)
    writer.key("message")
    writer.string(error.message)
    writer.key("data")
    writeDetails(error, into: &writer)
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }

  /// The array of `google.rpc` details; REST answers carry the same one (A2A 1.0 §11.6).
  package static func writeDetails(_ error: A2AError, into writer: inout JSONWriter) {
    writer.beginArray()
    writer.beginObject()
    writer.key("@type")
    writer.string("type.googleapis.com/google.rpc.ErrorInfo")
    writer.key("reason")
    writer.string(error.reason)
    writer.key("domain")
    writer.string(error.domain)
    if !error.metadata.isEmpty || error.retryAfterSeconds != nil {
      writer.key("metadata")
      writer.beginObject()
      for (name, value) in error.metadata {
        writer.key(name)
        writer.string(value)
      }
      if let seconds = error.retryAfterSeconds {
        writer.key("retryAfterSeconds")
        writer.string(String(seconds))
      }
      writer.endObject()
    }
    writer.endObject()
    if let seconds = error.retryAfterSeconds {
      writer.beginObject()
      writer.key("@type")
      writer.string("type.googleapis.com/google.rpc.RetryInfo")
      writer.key("retryDelay")
      writer.string("\(seconds)s")
      writer.endObject()
    }
    writer.endArray()
  }

  /// The response that carries the result which `write` appends. The id is raw JSON and stays byte
  /// for byte.
  ///
  /// - `bytes`: about as many as the result has, so that a large one is written in one place.
  package static func result(
    id: [UInt8], bytes: Int = 0, write: (inout JSONWriter) -> Void
  ) -> [UInt8] {
    var writer = JSONWriter(capacity: 1536 + id.count + bytes)
    writer.beginObject()
    writer.key("jsonrpc")
    writer.string("2.0")
    writer.key("id")
    writer.raw(id)
    writer.key("result")
    write(&writer)
    writer.endObject()
    return writer.bytes
  }
}
