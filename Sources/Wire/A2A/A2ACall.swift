/// One JSON-RPC call of A2A, read from its body in a single pass: what the relay routes, waits
/// and refuses by. The body itself stays as it is; ranges point into it.
package struct A2ACall: Sendable {
  /// Limit: Bytes of a JSON-RPC id, a message id, a task id and a context id: they are stored,
  /// indexed and echoed. UUIDs have 36.
  package static let idBytesMax = 256
  /// Parts of one message, and of one result with all its artifacts.
  package static let partsMax = PartsScan.countMax

  package var method: A2AMethod
  /// The method as the caller spelled it.
  package var methodName: String
  package var dialect: Dialect
  /// The raw JSON of the request's id, to be echoed with the same type; `null` when absent.
  package var id: [UInt8]
  /// True when there is no id: JSON-RPC 2.0 §4.1 wants no answer then.
  package var isNotification: Bool
  /// The object of the params in the body; empty if absent.
  package var params: Range<Int>
  /// The object of the message in the body; empty if the operation has none.
  package var message: Range<Int>
  package var messageID: String?
  /// The task that the call names: the one that a message continues, or the one asked for.
  package var taskID: String?
  package var contextID: String?
  package var role: A2ARole?
  /// The number of parts of the message.
  package var partCount: Int
  /// The message's text parts, in the body.
  package var texts: [JSONScanner.Text]
  /// Whether the caller wants to wait for the task's end (A2A 1.0 §3.2.2). 0.3 leaves the default
  /// open; like its SDK, absent means yes.
  package var isBlocking: Bool
  /// The length of history that the caller wants: nil unset, 0 none (A2A 1.0 §3.2.4).
  package var historyLength: Int?
  package var hasPushConfig: Bool
  package var referenceTaskIDs: [String]

  /// The message's text parts, one a line, read from the body that the call was.
  package func text(in body: [UInt8]) -> String { texts.joined(in: body.span) }

  /// Reads and judges a request for an agent whose A2A server is the relay.
  ///
  /// `version` is the `A2A-Version` header or query value. The method's spelling decides the
  /// dialect; the version only decides for methods that no dialect has, and is refused if unknown.
  package static func parse(_ body: [UInt8], version: String?) -> Result<A2ACall, A2AError> {
    do throws(A2AError) {
      return .success(try CallJudge(body, version: version, isStrict: true).call())
    } catch {
      return .failure(error)
    }
  }

  /// Reads a stored request: it was judged when it came, by the bounds of that time. Only what
  /// makes it no JSON-RPC request at all is refused; an unknown method is `.unknown`.
  package static func peek(_ body: [UInt8], version: String?) -> Result<A2ACall, A2AError> {
    do throws(A2AError) {
      return .success(try CallJudge(body, version: version, isStrict: false).call())
    } catch {
      return .failure(error)
    }
  }
}
