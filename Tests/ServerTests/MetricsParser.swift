/// A strict reader of Prometheus' text format, version 0.0.4: what it does not know is an error.
struct MetricsParser {
  struct Family: Equatable {
    var kind: String
    var help: String
    var samples: [Sample] = []
  }

  struct Sample: Equatable {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  struct Malformed: Error, CustomStringConvertible {
    var line: String
    var why: String
    var description: String { "\(why): \(line)" }
  }

  private(set) var families: [String: Family] = [:]
  /// In the order in which they stand.
  private(set) var names: [String] = []

  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw Malformed(line: "", why: "no line feed at the end") }
    var current: (name: String, help: String?)?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      let line = String(line)
      if line.hasPrefix("# HELP ") {
        let (name, help) = try Self.split(line, after: "# HELP ")
        current = (name, help)
      } else if line.hasPrefix("# TYPE ") {
        let (name, kind) = try Self.split(line, after: "# TYPE ")
        guard current?.name == name, let help = current?.help else {
          throw Malformed(line: line, why: "a TYPE follows its HELP")
        }
        try begin(name, kind, help, line)
        current = (name, nil)
      } else {
        guard let name = current?.name, current?.help == nil else {
          throw Malformed(line: line, why: "a sample follows its TYPE")
        }
        try add(try Self.sample(line), to: name, line)
      }
    }
    for (name, family) in families where family.kind == "histogram" {
      try Self.check(histogram: family, name)
    }
  }

  private mutating func begin(
    _ name: String, _ kind: String, _ help: String, _ line: String
  ) throws {
    guard families[name] == nil else { throw Malformed(line: line, why: "a family comes twice") }
    guard ["counter", "gauge", "histogram"].contains(kind) else {
      throw Malformed(line: line, why: "no such type")
    }
    guard name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0 == "_" || $0.isNumber) }) else {
      throw Malformed(line: line, why: "not a name")
    }
    families[name] = Family(kind: kind, help: help)
    names.append(name)
  }

  private mutating func add(_ sample: Sample, to name: String, _ line: String) throws {
    guard var family = families[name] else { throw Malformed(line: line, why: "no family") }
    let endings = family.kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
    guard endings.contains(where: { sample.name == name + $0 }) else {
      throw Malformed(line: line, why: "a sample of another family")
    }
    guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels })
    else { throw Malformed(line: line, why: "a sample comes twice") }
    if family.kind != "gauge", sample.value < 0 {
      throw Malformed(line: line, why: "a counter is not negative")
    }
    family.samples.append(sample)
    families[name] = family
  }

  private static func split(_ line: String, after prefix: String) throws -> (String, String) {
    let parts = line.dropFirst(prefix.count).split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { throw Malformed(line: line, why: "name and text") }
    return (String(parts[0]), String(parts[1]))
  }

  private static func sample(_ line: String) throws -> Sample {
    var rest = Substring(line)
    let name = rest.prefix { $0 != "{" && $0 != " " }
    rest = rest.dropFirst(name.count)
    var labels: [String: String] = [:]
    if rest.first == "{" {
      rest = rest.dropFirst()
      while rest.first != "}" {
        let label = rest.prefix { $0.isASCII && ($0.isLowercase || $0 == "_") }
        rest = rest.dropFirst(label.count)
        guard !label.isEmpty, rest.hasPrefix("=\"") else {
          throw Malformed(line: line, why: "a label")
        }
        rest = rest.dropFirst(2)
        let value = try quoted(&rest, line)
        guard labels.updateValue(value, forKey: String(label)) == nil else {
          throw Malformed(line: line, why: "a label comes twice")
        }
        if rest.first == "," { rest = rest.dropFirst() }
      }
      rest = rest.dropFirst()
    }
    guard rest.first == " ", let value = Double(rest.dropFirst().replacing("+Inf", with: "inf"))
    else { throw Malformed(line: line, why: "a value") }
    return Sample(name: String(name), labels: labels, value: value)
  }

  /// Up to the closing quotation mark, which is taken too.
  private static func quoted(_ rest: inout Substring, _ line: String) throws -> String {
    var value = ""
    while let character = rest.popFirst() {
      switch character {
      case "\"": return value
      case "\\":
        switch rest.popFirst() {
        case "n": value += "\n"
        case "\\": value += "\\"
        case "\"": value += "\""
        default: throw Malformed(line: line, why: "an escape")
        }
      default: value.append(character)
      }
    }
    throw Malformed(line: line, why: "an open quotation")
  }

  /// For each set of labels: buckets that ascend to +Inf, whose count is the count.
  private static func check(histogram: Family, _ name: String) throws {
    let groups = Dictionary(grouping: histogram.samples) { sample in
      sample.labels.filter { $0.key != "le" }
    }
    for samples in groups.values {
      let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
      let bounds = buckets.map { Double($0.labels["le"]?.replacing("+Inf", with: "inf") ?? "") }
      let ascends = zip(bounds, bounds.dropFirst()).allSatisfy { ($0 ?? .nan) < ($1 ?? .nan) }
      let grows = zip(buckets, buckets.dropFirst()).allSatisfy { $0.value <= $1.value }
      let count = samples.first { $0.name.hasSuffix("_count") }?.value
      guard ascends, grows, bounds.last == .infinity, buckets.last?.value == count,
        samples.contains(where: { $0.name.hasSuffix("_sum") })
      else { throw Malformed(line: name, why: "a histogram") }
    }
  }

  /// The value of the sample with these labels; of a histogram the count.
  func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    let samples = families[name]?.samples ?? []
    return samples.first { ($0.name == name || $0.name == name + "_count") && $0.labels == labels }?
      .value
  }

  /// All samples of the family together; of a histogram its counts.
  func sum(_ name: String) -> Double {
    (families[name]?.samples ?? [])
      .filter { $0.name == name || $0.name == name + "_count" }
      .reduce(0) { $0 + $1.value }
  }
}
