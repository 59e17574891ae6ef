import Relay

/// What operators ask of one workspace's queue: the paths below `/workspaces/{id}/`.
enum QueueRoute: Equatable {
  enum Verb: String, CaseIterable { case cancel, redrive, replay }

  case status
  case messages
  case verb(Verb, MessageID)
  case many(JobRow.Verb)
  case jobs
  case job(JobID)
  case pause
  case resume
  /// A message or a job in the path is none.
  case badID

  /// `nil`: the path is of something else.
  init?(_ parts: PathSegments) {
    switch parts.count {
    case 3: self.init(word: parts)
    case 4:
      guard parts.has(2, "jobs") else { return nil }
      self = parts.number(3).map(QueueRoute.job) ?? .badID
    case 5:
      guard parts.has(2, "messages"),
        let verb = Verb.allCases.first(where: { parts.has(4, $0.rawValue) })
      else { return nil }
      self = parts.message(3).map { .verb(verb, $0) } ?? .badID
    default: return nil
    }
  }

  private init?(word parts: PathSegments) {
    let words: [(String, QueueRoute)] = [
      ("queue", .status), ("messages", .messages), ("jobs", .jobs), ("pause", .pause),
      ("resume", .resume), ("redrive", .many(.redrive)), ("replay", .many(.replay)),
      ("purge", .many(.purge)),
    ]
    guard let found = words.first(where: { parts.has(2, $0.0) }) else { return nil }
    self = found.1
  }

  var isBadID: Bool { self == .badID }

  var methods: [String] {
    switch self {
    case .status, .messages, .jobs: ["GET", "HEAD"]
    case .job: ["GET", "HEAD", "DELETE"]
    case .verb, .many, .pause, .resume: ["POST"]
    case .badID: []
    }
  }

  /// Looking is for every operator; changing something takes the scope `admin`.
  func scope(_ method: String) -> RegisteredToken.Scopes {
    switch self {
    case .status, .messages, .jobs: .read
    case .job: method == "DELETE" ? .admin : .read
    case .verb, .many, .pause, .resume, .badID: .admin
    }
  }
}

extension PathSegments {
  /// A number above 0, as jobs have.
  func number(_ index: Int) -> Int64? { Int64(text(index)).flatMap { $0 > 0 ? $0 : nil } }
}
