import Testing
import Wire

@Suite struct MetricsTextTests {
  private func text(_ build: (inout MetricsText) -> Void) -> String {
    var text = MetricsText()
    build(&text)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  @Test func `a family says what it is once, before its samples`() {
    let written = text {
      $0.family("a_total", .counter, "What \"it\" is\\has,\nin two lines.")
      $0.sample("a_total", 3)
      $0.sample("a_total", [("of", "x\"y\\z\n"), ("by", "b")], -4)
    }
    #expect(
      written == """
        # HELP a_total What "it" is\\\\has,\\nin two lines.
        # TYPE a_total counter
        a_total 3
        a_total{of="x\\"y\\\\z\\n",by="b"} -4

        """)
  }

  @Test(
    arguments: [
      (0, "0"), (1, "0.000000001"), (50_000, "0.00005"), (1_500_000_000, "1.5"),
      (-2_000_000_000, "-2"), (-10, "-0.00000001"), (Int64.max, "9223372036.854775807"),
      (Int64.min, "-9223372036.854775808"),
    ] as [(Int64, String)])
  func `nanoseconds become seconds without an exponent`(nanoseconds: Int64, expected: String) {
    #expect(MetricsText.seconds(nanoseconds) == expected)
  }

  @Test func `buckets are counted up to all`() {
    let written = text {
      $0.histogram("h", [("form", "f")], bounds: ["1", "2"], counts: [2, 0, 5], sum: "9")
    }
    #expect(
      written == """
        h_bucket{form="f",le="1"} 2
        h_bucket{form="f",le="2"} 2
        h_bucket{form="f",le="+Inf"} 7
        h_sum{form="f"} 9
        h_count{form="f"} 7

        """)
  }
}
