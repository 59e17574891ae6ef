/// The figures of one run by name.
struct Measures {
  enum Key: String, CaseIterable {
    case syncP50 = "fdatasync_p50_ms"
    case syncP99 = "fdatasync_p99_ms"
    case syncRate = "fdatasync_per_second"
    case pacedP50 = "fdatasync_paced_p50_ms"
    case pacedP99 = "fdatasync_paced_p99_ms"
    case reference = "r_messages_per_second"
    case spreadReference = "spread_reference_messages_per_second"
    case sendsOne = "sends_1_per_second"
    case sendsMany = "sends_64_per_second"
    case sendsManyP50 = "sends_64_p50_ms"
    case sendsManyP99 = "sends_64_p99_ms"
    case sendsManyCPU = "sends_64_server_cpu_us"
    case sendsMost = "sends_256_per_second"
    case sendsMostP99 = "sends_256_p99_ms"
    case sendsSpread = "sends_spread_per_second"
    case sendsSpreadMost = "sends_spread_256_per_second"
    case sendsChosen = "sends_chosen_per_second"
    case cycles = "cycles_per_second"
    case cyclesP50 = "cycles_p50_ms"
    case cyclesP99 = "cycles_p99_ms"
    case cyclesCPU = "cycles_server_cpu_us"
    case cyclesBatch = "cycles_batch_per_second"
    case cyclesBatchP50 = "cycles_batch_p50_ms"
    case cyclesBatchCPU = "cycles_batch_server_cpu_us"
    case latencyP50 = "latency_p50_ms"
    case latencyP99 = "latency_p99_ms"
    case parkedBytes = "parked_bytes_each"
    case wakeAlone = "wake_alone_p50_ms"
    case wakeAmong = "wake_among_p50_ms"
    case wakeSame = "wake_same_workspace_p50_ms"
    case idleCPU = "idle_cpu_ms_per_second"
    case backlogShort = "backlog_short_per_second"
    case backlogShortCPU = "backlog_short_server_cpu_us"
    case backlogInFlight = "backlog_in_flight_per_second"
    case backlogInFlightCPU = "backlog_in_flight_server_cpu_us"
    case backlogLong = "backlog_long_per_second"
    case backlogLongCPU = "backlog_long_server_cpu_us"
    case backlogBytes = "backlog_long_resident_bytes_each"
    case othersCPU = "cpu_of_others_percent"
    case clientCPU = "sends_64_client_cpu_us"
  }

  private(set) var values: [Key: Double] = [:]

  subscript(key: Key) -> Double? {
    get { values[key] }
    set { values[key] = newValue }
  }
}
