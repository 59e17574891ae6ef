import Relay
import System

/// Everything that can end the loop's wait: sockets, the timer, signals and other threads.
///
/// `wait` says how many events there are; each is then taken with `event(_:)`. The descriptors of
/// this type have generation 0, and connections have generations from 1.
final class EventSources {
  enum Event {
    case connection(Poller.Token, Poller.Events)
    /// Connections wait to be accepted.
    case listener
    /// Another thread has written to `stopDescriptor`.
    case stop
    case signal(Signals.Arrival)
    /// The timer has fired, another thread has woken the loop (`takeWakeup`), or a signal was taken
    /// before: there is nothing to do but the turn itself.
    case nothing
  }

  private let listener: Int32
  private let poller: Poller
  private let wakeup: Wakeup
  private let stopping: Wakeup
  private let timer: BootTimer
  private let signals: Signals?
  /// When the timer fires; it may be earlier than anything that is due.
  private var armedAt: Instant?
  private var wasWoken = false

  init(
    listener: Int32, eventsMax: Int, signals: consuming Signals?
  ) throws(SystemError) {
    self.listener = listener
    poller = try Poller(eventsMax: eventsMax)
    wakeup = try Wakeup()
    stopping = try Wakeup()
    timer = try BootTimer()
    var own = [listener, wakeup.raw, stopping.raw, timer.raw]
    if let raw = signals?.raw { own.append(raw) }
    self.signals = consume signals
    for descriptor in own {
      try poller.add(Poller.Token(descriptor: descriptor, generation: 0), .readable)
    }
  }

  var wakeDescriptor: Int32 { wakeup.raw }
  var stopDescriptor: Int32 { stopping.raw }

  /// Fails when the kernel's bound on watches is reached (ENOSPC) or memory has run out (ENOMEM).
  func add(_ token: Poller.Token, _ events: Poller.Events) throws(SystemError) {
    try poller.add(token, events)
  }

  func change(_ token: Poller.Token, to events: Poller.Events) {
    do throws(SystemError) {
      try poller.modify(token, events)
    } catch {
      preconditionFailure("an open connection and the listener are watched: \(error)")
    }
  }

  func remove(_ token: Poller.Token) {
    do throws(SystemError) {
      try poller.remove(token)
    } catch {
      preconditionFailure("an open connection is watched: \(error)")
    }
  }

  /// Makes sure that a wait ends at `instant`. The timer is set only to an earlier instant; one
  /// that has become needless costs one turn.
  func arm(at instant: Instant) {
    if let armedAt, armedAt <= instant { return }
    armedAt = instant
    timer.arm(at: instant)
  }

  /// Waits for events, or only looks if `hasWork`. Returns how many there are to take.
  func wait(hasWork: Bool) throws(SystemError) -> Int {
    try poller.wait(milliseconds: hasWork ? 0 : -1)
  }

  func event(_ index: Int) -> Event {
    let (token, events) = poller.event(index)
    return token.generation == 0 ? own(token.descriptor) : .connection(token, events)
  }

  /// Returns whether another thread has written to `wakeDescriptor` since the last time.
  func takeWakeup() -> Bool {
    defer { wasWoken = false }
    return wasWoken
  }

  private func own(_ descriptor: Int32) -> Event {
    if descriptor == timer.raw {
      timer.drain()
      armedAt = nil
      return .nothing
    }
    if descriptor == wakeup.raw {
      wakeup.drain()
      wasWoken = true
      return .nothing
    }
    if descriptor == stopping.raw {
      stopping.drain()
      return .stop
    }
    if descriptor == listener { return .listener }
    guard let arrival = signals?.take() else { return .nothing }
    return .signal(arrival)
  }
}
