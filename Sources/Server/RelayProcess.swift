import Engine
import Glibc
import HTTPServer
import Relay
import Store
package import System
import Wire

/// `a2a-relay serve`: puts the parts together, runs the loop, and returns the exit status.
package enum RelayProcess {
  /// Serves until SIGTERM, and returns the exit status.
  package static func serve(_ options: ServeOptions) -> ExitStatus {
    let log = Log(format: options.log ?? .automatic)
    defer { log.flush() }
    do {
      return try serve(options, log)
    } catch let error as ServeOptions.Usage {
      log.error("start_failed", ["error": .text(error.text)])
      return .usage
    } catch let error as StoreError {
      log.error("start_failed", ["error": .text(error.description)])
      return error.isFinalForProcess ? .ioError : .refused
    } catch let error as PrivatePath.Refusal {
      log.error("start_failed", ["error": .text(error.description)])
      return .refused
    } catch let error as AdminToken.Unreadable {
      log.error("start_failed", ["error": .text(error.description)])
      return .usage
    } catch let error as SystemError {
      log.error("start_failed", ["error": .text(error.description)])
      return .refused
    } catch {
      log.error("start_failed", ["error": .text("\(error)")])
      return .refused
    }
  }

  private static func serve(_ options: ServeOptions, _ log: Log) throws -> ExitStatus {
    try options.check()
    // Before the first other thread exists, so that no thread takes the signals.
    let signals = try Signals()
    let wanted = try fit(options, log)
    try makePrivate(options.data, log)
    let data = try DataDirectory(
      path: options.data, limits: wanted, isAfterRollback: options.isAfterRollback)
    let limits = fit(wanted, to: data.room.plan, asked: options.asked, log)
    let listener = try listen(options.listen)
    let address = listener.address
    let random = Random()
    let engine = try makeEngine(options, data, limits, address, random, log)
    let admin = try AdminToken.load(options, data: options.data, random: random)
    engine.registry.setAdmin(secret: admin.secret)
    try start(engine, options.acceptedLosses)
    reportMismatches(data, engine, log)
    let server = RelayServer(
      engine: engine, data: data, log: log,
      registration: options.registration(listening: address), metrics: options.metrics,
      rootWorkspace: options.rootWorkspace, hosts: options.allowedHosts)
    let loop = try Loop(
      listener: listener, limits: limits, log: log, application: server, signals: signals)
    let barrier = try makeBarrier(options, data, engine, loop, log)
    server.turns.barrier = barrier
    server.attach(loop)
    logStart(options, data, engine, address, log)
    server.turns.supervision = try Supervision(
      environment: { name in getenv(name).map { String(cString: $0) } }, process: getpid(),
      log: log)
    announce(admin, address, log)
    server.turns.supervision?.ready(at: "http://\(address)", now: Clock.instant())
    try loop.run()
    barrier.stop()
    server.turns.loopEnded()
    var status = server.turns.exitStatus
    // If a receipt or a log could not be written, the end was not clean.
    if !engine.close(now: Clock.now()), status == .done { status = .ioError }
    log.info("stopped", ["status": .number(Int64(status.rawValue))])
    return status
  }

  private static func makeEngine(
    _ options: ServeOptions, _ data: DataDirectory, _ limits: Limits, _ address: SocketAddress,
    _ random: Random, _ log: Log
  ) throws -> Engine {
    if options.isAfterRollback {
      try data.beginLife(random: random.next(), at: Clock.wall())
    }
    let engine = try Engine(
      data: data, limits: limits,
      publicURL: options.publicURL ?? "http://\(address)", random: random, log: log)
    #if PLANTS
      if let name = getenv("A2A_RELAY_PLANT") {
        engine.plant = ServerPlant(rawValue: String(cString: name))
        log.warning("planted_fault", ["plant": .text(String(cString: name))])
      }
    #endif
    return engine
  }

  /// Starts the engine, with empty files for the workspaces whose loss is accepted.
  private static func start(_ engine: Engine, _ acceptedLosses: [WorkspaceID]) throws {
    for id in acceptedLosses {
      guard try engine.acceptLoss(of: id, now: Clock.now()) != nil else {
        throw ServeOptions.Usage(
          text: "--accept-loss: no workspace \(id.text) is registered")
      }
    }
    engine.start(now: Clock.now())
  }

  private static func makeBarrier(
    _ options: ServeOptions, _ data: DataDirectory, _ engine: Engine, _ loop: Loop, _ log: Log
  ) throws -> Barrier {
    // A write that failed under an earlier process may not have been reported to anybody yet. This
    // one has acknowledged nothing so far, and takes no log over without reading it from the disk
    // anew: the first barrier must not end it for that.
    if data.fileSystem.supportsSyncfs, options.barrier == .auto {
      _ = SyncCalls.kernel.syncfs(data.descriptor)
    }
    return try Barrier(
      directory: data.descriptor, choice: options.barrier,
      supportsSyncfs: data.fileSystem.supportsSyncfs, wake: loop.wakeDescriptor,
      calls: syncCalls(engine, log))
  }

  private static func logStart(
    _ options: ServeOptions, _ data: DataDirectory, _ engine: Engine, _ address: SocketAddress,
    _ log: Log
  ) {
    log.info(
      "started",
      [
        "address": .text("\(address)"), "data": .text(options.data),
        "file_system": .text("\(data.fileSystem)"),
        "barrier": data.fileSystem.supportsSyncfs && options.barrier == .auto
          ? "auto" : "fdatasync",
        "workspaces": .number(engine.directory.workspaces.count),
      ])
  }

  private static func syncCalls(_ engine: Engine, _ log: Log) -> SyncCalls {
    #if PLANTS
      if engine.plant == .goOnAfterFailedSync { return .ignoringFailures(log) }
    #endif
    return .kernel
  }

  private static func fit(_ options: ServeOptions, _ log: Log) throws -> Limits {
    let descriptors = try DescriptorLimit.raise()
    let plan = try DescriptorPlan(options.limits, asked: options.asked, descriptors: descriptors)
    for change in plan.adaptations {
      log.info(
        "limits_adapted",
        [
          "limit": .text(change.name), "from": .number(change.from), "to": .number(change.to),
          "why": .text("RLIMIT_NOFILE is \(descriptors)"),
        ])
    }
    return plan.limits
  }

  /// Cuts the limits that a small disk has no room for, unless the operator has set them.
  private static func fit(
    _ wanted: Limits, to disk: DiskPlan, asked: Set<String>, _ log: Log
  ) -> Limits {
    var limits = wanted
    for (name, limit, room) in disk.scaled
    where room < wanted[keyPath: limit] && !asked.contains(name) {
      limits[keyPath: limit] = room
      log.info(
        "limits_adapted",
        [
          "limit": .text(name), "from": .number(wanted[keyPath: limit]), "to": .number(room),
          "why": .text("the file system has \(disk.total) bytes"),
        ])
    }
    // Whatever was set, these three must be in order.
    limits.walPagesMax = max(limits.walPagesMax, limits.walPagesBusy)
    limits.walPagesIdle = min(limits.walPagesIdle, limits.walPagesBusy)
    return limits
  }

  /// Takes away what other users may do in the data directory, before anything is read from it. The
  /// directory may have been made by hand, or restored by another program.
  private static func makePrivate(_ data: String, _ log: Log) throws {
    func secure(_ path: String, isFolder: Bool, mayBeLink: Bool = false) throws {
      guard let mode = try PrivatePath.secure(path, isFolder: isFolder, mayBeLink: mayBeLink)
      else { return }
      log.warning(
        "permissions_tightened",
        [
          "path": .text(path), "from": .text(String(mode, radix: 8)),
          "to": .text(String(mode & 0o700, radix: 8)),
        ])
    }
    // The directory itself may be a link: systemd makes one with DynamicUser.
    try secure(data, isFolder: true, mayBeLink: true)
    for name in DataDirectory.folders { try secure("\(data)/\(name)", isFolder: true) }
    for name in DataDirectory.files + [AdminToken.name] {
      try secure("\(data)/\(name)", isFolder: false)
    }
  }

  private struct CannotListen: Error, CustomStringConvertible {
    var description: String
  }

  static func listen(_ address: SocketAddress) throws -> Listener {
    do throws(SystemError) { return try Listener(address) } catch {
      throw CannotListen(
        description: "cannot listen on \(address): \(ErrorNumber.text(error.code))")
    }
  }

  /// Prints where the relay listens; scripts wait for the last line. A script that does not read it
  /// stops nobody.
  private static func announce(_ admin: AdminToken, _ address: SocketAddress, _ log: Log) {
    var text = ""
    if admin.isNew {
      // Without a terminal, standard output ends in the log of a service or a container.
      let isSeen = StandardStream.output.isTerminal
      text += "admin token (\(isSeen ? "shown once, " : "")kept in \(admin.path))"
      text += isSeen ? ": \(admin.secret)\n" : "\n"
    }
    text += "a2a-relay ready on http://\(address)\n"
    let output = LineWriter(StandardStream.output.rawValue) { loss in
      log.warning("ready_line_lost", ["error": .text(ErrorNumber.text(loss.error))])
      return []
    }
    output.write(Array(text.utf8))
  }

  private static func reportMismatches(
    _ data: DataDirectory, _ engine: Engine, _ log: Log
  ) {
    do throws(StoreError) {
      let removed = engine.directory.removed.values.map(\.row)
      let found = try data.mismatches(
        rows: engine.directory.workspaces.keys + removed.filter { $0.state == .removed }.map(\.id),
        purging: removed.filter { $0.state == .purging }.map(\.id))
      engine.noteMissing(found.rowsWithoutFile)
      for id in found.rowsWithoutFile {
        log.error("workspace_file_missing", ["workspace": .text(id.text)])
      }
      for id in found.filesWithoutRow {
        log.warning("workspace_row_missing", ["workspace": .text(id.text)])
      }
      engine.noteUnregistered(found.filesWithoutRow)
    } catch {
      log.error("start_check_failed", ["error": .text(error.description)])
    }
  }
}
