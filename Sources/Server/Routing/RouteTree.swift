import Relay
import Wire

/// What the segments of a path have said, beside which route it is.
struct PathParameters: Equatable, Sendable {
  var workspace: WorkspaceID?
  var message: MessageID?
  var job: JobID?
  var text: String?
}

/// The routes of a path, found for a request.
struct RouteMatch {
  var route: Route
  /// The route takes the request's method.
  var isAllowed: Bool
  var parameters: PathParameters
}

/// Finds the route of a path: the patterns of the route table as a tree of path segments.
///
/// A pattern is a list of segments: a word, `*` for any segment, `**` for any number of them at the
/// end, or a parameter: `{id}` is a workspace's id, `{message}` and `{job}` are what they say,
/// `{name}` is any text, `{key}` the same and may be empty. A path whose other segments fit, and
/// whose id is none, is `Route.badID`; with `{?id}` or `{?message}` it is no route.
///
/// Words are compared as bytes, and nothing is allocated on the way: every request comes through
/// here.
struct RouteTree: Sendable {
  private enum Parameter: String {
    case none = ""
    case any = "*"
    case workspace = "{id}"
    case workspaceOrNothing = "{?id}"
    case message = "{message}"
    case messageOrNothing = "{?message}"
    case job = "{job}"
    case name = "{name}"
    case key = "{key}"
  }

  /// A word that leads from one node to another.
  private struct Edge {
    var word: Range<Int>
    var node: Int
  }

  private struct Node {
    var edges = 0..<0
    var parameter = Parameter.none
    var parameterNode = 0
    /// The routes of a path that ends here.
    var routes = 0..<0
    /// The routes of every path that comes through here, unless it is another's.
    var rest = 0..<0
  }

  private typealias Line = (segments: ArraySlice<String>, route: Route)

  private var nodes: [Node] = []
  private var edges: [Edge] = []
  private var words: [UInt8] = []
  private var routes: [Route] = []

  init(_ table: [Route]) {
    let lines = table.flatMap { route in
      route.patterns.map { pattern in
        let segments = pattern.split(separator: "/", omittingEmptySubsequences: false)
        return (segments.dropFirst().map(String.init)[...], route)
      }
    }
    _ = add(lines)
  }

  private mutating func add(_ lines: [Line]) -> Int {
    let place = nodes.count
    nodes.append(Node())
    nodes[place].routes = keep(lines.filter { $0.segments.isEmpty })
    nodes[place].rest = keep(lines.filter { $0.segments.first == "**" })
    var found: [Edge] = []
    var seen: Set<String> = ["**"]
    for word in lines.compactMap(\.segments.first) where seen.insert(word).inserted {
      let below = lines.filter { $0.segments.first == word }
        .map { ($0.segments.dropFirst(), $0.route) }
      if let parameter = Parameter(rawValue: word), parameter != .none {
        precondition(nodes[place].parameter == .none, "two parameters in one place: \(word)")
        nodes[place].parameter = parameter
        nodes[place].parameterNode = add(below)
      } else {
        let start = words.count
        words += Array(word.utf8)
        let range = start..<words.count
        found.append(Edge(word: range, node: add(below)))
      }
    }
    nodes[place].edges = edges.count..<(edges.count + found.count)
    edges += found
    return place
  }

  private mutating func keep(_ lines: [Line]) -> Range<Int> {
    let start = routes.count
    routes += lines.map(\.route)
    return start..<routes.count
  }

  // MARK: finding

  func find(_ path: PathSegments, _ method: HTTPMethods) -> RouteMatch {
    var parameters = PathParameters()
    var hasBadID = false
    guard path.count > 0, let found = find(path, 0, from: 0, &parameters, &hasBadID) else {
      return RouteMatch(route: .none, isAllowed: true, parameters: PathParameters())
    }
    if hasBadID {
      return RouteMatch(route: .badID, isAllowed: true, parameters: PathParameters())
    }
    for index in found where routes[index].methods.contains(method) && !method.isEmpty {
      return RouteMatch(route: routes[index], isAllowed: true, parameters: parameters)
    }
    // The last line of a path says who hears that the method is not allowed.
    return RouteMatch(
      route: routes[found.upperBound - 1], isAllowed: false, parameters: parameters)
  }

  private func find(
    _ path: PathSegments, _ index: Int, from place: Int, _ parameters: inout PathParameters,
    _ hasBadID: inout Bool
  ) -> Range<Int>? {
    let node = nodes[place]
    if index == path.count { return end(node.routes) ?? end(node.rest) }
    for number in node.edges {
      let edge = edges[number]
      guard path.has(index, words.span.extracting(edge.word)) else { continue }
      if let found = find(path, index + 1, from: edge.node, &parameters, &hasBadID) {
        return found
      }
      break
    }
    if node.parameter != .none, let isID = read(path, index, node.parameter, &parameters) {
      let found = find(path, index + 1, from: node.parameterNode, &parameters, &hasBadID)
      if let found {
        if !isID { hasBadID = true }
        return found
      }
    }
    return end(node.rest)
  }

  private func end(_ found: Range<Int>) -> Range<Int>? { found.isEmpty ? nil : found }

  /// Reads a parameter. False: it should be an id and is none. `nil`: it fits no pattern.
  private func read(
    _ path: PathSegments, _ index: Int, _ parameter: Parameter, _ parameters: inout PathParameters
  ) -> Bool? {
    guard path.reaches(index) else { return nil }
    switch parameter {
    case .none: return nil
    case .any: return true
    case .workspace, .workspaceOrNothing:
      parameters.workspace = path.workspace(index)
      if parameters.workspace != nil { return true }
      return parameter == .workspace ? false : nil
    case .message, .messageOrNothing:
      parameters.message = path.message(index)
      if parameters.message != nil { return true }
      return parameter == .message ? false : nil
    case .job:
      parameters.job = Int64(path.text(index)).flatMap { $0 > 0 ? $0 : nil }
      return parameters.job != nil
    case .name:
      guard !path.isEmpty(index) else { return nil }
      parameters.text = path.text(index)
      return true
    case .key:
      parameters.text = path.text(index)
      return true
    }
  }
}
