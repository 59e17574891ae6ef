import Glibc

/// The number of descriptors that this process may have open (`RLIMIT_NOFILE`).
package enum DescriptorLimit {
  /// Raises the soft limit to the hard one, and returns it.
  package static func raise() throws(SystemError) -> Int {
    var limit = rlimit()
    _ = try retrying("getrlimit") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      try set(limit)
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Lowers the soft limit; for tests of what happens when descriptors run out.
  package static func lower(to count: Int) throws(SystemError) {
    var limit = rlimit()
    _ = try retrying("getrlimit") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
    try set(limit)
  }

  private static func set(_ limit: rlimit) throws(SystemError) {
    var limit = limit
    _ = try retrying("setrlimit") { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
  }
}
