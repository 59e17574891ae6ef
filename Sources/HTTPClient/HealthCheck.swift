package import Relay
package import System

/// Asks a relay on this machine whether it answers: `GET /health` on a connection of its own.
package enum HealthCheck {
  /// Returns what is wrong, or `nil` if the relay answers 200.
  package static func failure(at address: SocketAddress, limits: Limits = Limits()) -> String? {
    var limits = limits
    limits.commandAnswerTime = limits.healthTime
    do {
      let client = try BlockingClient(url: "http://\(address)", token: nil, limits: limits)
      let answer = try client.call("GET", "/health")
      return answer.status == 200 ? nil : "\(address) answered \(answer.status)"
    } catch let error as BlockingClient.Unreachable {
      return error.text
    } catch {
      return "\(error)"
    }
  }
}
