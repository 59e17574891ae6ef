import System

/// Runs what the command line asks for.
func benchMain(_ program: String) -> ExitStatus {
  StandardStream.openClosed()
  // A relay that dies must not take this program with it.
  Signals.ignoreWriteSignals()
  let arguments: [String]
  do throws(ProcessInput.NotUTF8) { arguments = try ProcessInput().arguments } catch {
    StandardStream.complain("a2a-bench: \(error.text)\n")
    return .usage
  }
  do throws(BenchError) {
    let line = try Options.line(arguments)
    if line.wantsHelp { return show(Options.usage) }
    Interrupt.hold()
    let options = try Options(line, program: program)
    let scratch = try Scratch(in: options.data)
    defer { scratch.remove() }
    let report = try Bench(options: options, scratch: scratch).report()
    return show(options.json ? report.json : report.table)
  } catch {
    StandardStream.complain("a2a-bench: \(error)\n")
    if case .usage = error {
      StandardStream.complain(Options.usage)
      return .usage
    }
    return .refused
  }
}

/// Prints a text.
private func show(_ text: String) -> ExitStatus {
  do throws(StandardStream.Unprinted) { try StandardStream.print(text) } catch {
    StandardStream.complain("a2a-bench: \(error.text)\n")
    return .ioError
  }
  return .done
}

/// The measurements of one command, as often as it says.
struct Bench {
  let options: Options
  let scratch: Scratch

  func report() throws(BenchError) -> Report {
    var runs: [Measures] = []
    for number in 1...options.runs {
      runs.append(try run(number))
    }
    return Report(command: options.command, machine: Machine.here(scratch), runs: runs)
  }

  private func run(_ number: Int) throws(BenchError) -> Measures {
    var measures = Measures()
    let command = options.command
    let others = OtherLoad()
    progress(number, "disk")
    if command != .parked {
      let disk = DiskRun(path: scratch.sub("disk"))
      try disk.measure(seconds: 2, into: &measures)
    }
    // Many files are not what R measures.
    if [.all, .r, .sends, .cycles].contains(command), options.workspaces == nil {
      progress(number, "R")
      let reference = ReferenceRun(folder: scratch.sub("reference"))
      measures[.reference] = try reference.rate(warmUp: 2, seconds: 10)
      if command != .cycles {
        measures[.spreadReference] = try reference.spreadRate(warmUp: 1, seconds: 4)
      }
    }
    if command == .all || command == .sends {
      progress(number, "sends")
      try SendsRun(options: options, scratch: scratch).measure(into: &measures)
    }
    if command == .all || command == .cycles {
      progress(number, "cycles")
      try CyclesRun(options: options, scratch: scratch).measure(into: &measures)
    }
    if command == .all || command == .latency {
      progress(number, "latency")
      try LatencyRun(options: options, scratch: scratch).measure(into: &measures)
    }
    if command == .all || command == .parked {
      progress(number, "parked polls")
      try ParkedRun(options: options, scratch: scratch).measure(into: &measures)
    }
    if command == .retention {
      progress(number, "retention")
      try RetentionRun(options: options, scratch: scratch).measure(into: &measures)
    }
    if command == .backlog {
      progress(number, "backlog")
      try BacklogRun(options: options, scratch: scratch).measure(into: &measures)
    }
    measures[.othersCPU] = others.percent()
    return measures
  }

  private func progress(_ number: Int, _ what: String) {
    guard StandardStream.error.isTerminal else { return }
    StandardStream.complain("run \(number) of \(options.runs): \(what)\n")
  }
}
