extension Limits {
  /// Returns a sentence for each relation between limits that these values break.
  package var contradictions: [String] {
    var found: [String] = []
    for (name, value, other, bound) in times where value > bound {
      found.append("\(name) (\(value)) must not be above \(other) (\(bound))")
    }
    for (name, value, other, bound) in numbers where value > bound {
      found.append("\(name) (\(value)) must not be above \(other) (\(bound))")
    }
    for (name, value) in percents where value > 100 {
      found.append("\(name) (\(value)) must not be above 100")
    }
    return found
  }

  /// The relations that a start checks: no first limit may be above its second one.
  package var relations: [(lesser: String, greater: String)] {
    times.map { ($0.0, $0.2) } + numbers.map { ($0.0, $0.2) } + percents.map { ($0.0, "100") }
  }

  private var times: [(String, Duration, String, Duration)] {
    [
      ("lease", lease, "leaseMax", leaseMax),
      ("offer", offer, "leaseMax", leaseMax),
      ("hold", hold, "holdMax", holdMax),
      ("pollWaitDefault", pollWaitDefault, "pollWaitMax", pollWaitMax),
      ("backOffFirst", backOffFirst, "backOffMax", backOffMax),
      ("lease", lease, "timeToLive", timeToLive),
    ]
  }

  private var numbers: [(String, Int, String, Int)] {
    [
      ("bodyBytesMax", bodyBytesMax, "bodiesInMemoryMax", bodiesInMemoryMax),
      ("bodyBytesMax", bodyBytesMax, "queueBytesMax", queueBytesMax),
      ("walPagesIdle", walPagesIdle, "walPagesBusy", walPagesBusy),
      ("walPagesBusy", walPagesBusy, "walPagesMax", walPagesMax),
    ]
  }

  private var percents: [(String, Int)] {
    [
      ("callerSharePercent", callerSharePercent), ("unreadSharePercent", unreadSharePercent),
      ("bodySharePercent", bodySharePercent),
      ("anonymousSharePercent", anonymousSharePercent), ("orgSharePercent", orgSharePercent),
      ("headSharePercent", headSharePercent),
    ]
  }
}
