"""The alert rules and the metrics, read by Prometheus' own tool.

promtool comes from the system, or from Debian's package of Prometheus, which is unpacked here and
not installed: its service would start.
"""
import json
import pathlib
import re
import shutil
import subprocess

from rigkit.relay import ROOT, Relay, check, main, say, scratch, skip

RULES = ROOT / "deploy" / "alerts.yaml"
MINUTES = 20  # a sample a minute; alerts are looked at after the last one

# Of each alert: its summary, series on which it fires and on which it does not, and its labels
# besides `severity` and `instance`.
ALERTS = {
    "RelayDown": ("a does not answer", {'up{job="a2a-relay"}': "1x18 0 0"},
                  {'up{job="a2a-relay"}': "1x19 0"}, {"job": "a2a-relay"}),
    "RelayRestartsOften": (
        "a has started 3 times in 15 minutes",
        {'process_start_time_seconds{job="a2a-relay"}': "1x10 2 3 4 4x6"},
        {'process_start_time_seconds{job="a2a-relay"}': "1x10 2 3 3x7"}, {"job": "a2a-relay"}),
    "BarrierFailed": ("a: a sync has failed for good", {"a2a_relay_barrier_errors_total": "0x18 1 1"},
                      {"a2a_relay_barrier_errors_total": "1x20"}),
    "CommitsRefused": ("a: messages did not fit on the disk, and were refused",
                       {"a2a_relay_commits_refused_total": "0x15 3 3 3 3"},
                       {"a2a_relay_commits_refused_total": "3x20"}),
    "CheckpointsFail": ("a: a log could not be copied into its file",
                        {"a2a_relay_checkpoint_errors_total": "0x15 1 1 1 1"},
                        {"a2a_relay_checkpoint_errors_total": "1x20"}),
    "BarrierSlow": (
        "a: one sync in a hundred takes 0.991 s",
        {'a2a_relay_barrier_seconds_bucket{le="0.1"}': "0x20",
         'a2a_relay_barrier_seconds_bucket{le="1"}': "0+60x20",
         'a2a_relay_barrier_seconds_bucket{le="+Inf"}': "0+60x20"},
        {'a2a_relay_barrier_seconds_bucket{le="0.1"}': "0+60x20",
         'a2a_relay_barrier_seconds_bucket{le="1"}': "0+60x20",
         'a2a_relay_barrier_seconds_bucket{le="+Inf"}': "0+60x20"}),
    "DiskLow": ("a refuses sends: the disk is nearly full", {"a2a_relay_disk_low": "0x18 1 1"},
                {"a2a_relay_disk_low": "1x18 0 0"}),
    "DiskSoonLow": (
        "a: 1GiB free",
        {"a2a_relay_disk_free_bytes": "1073741824x20", "a2a_relay_disk_high_water_bytes": "268435457x20"},
        {"a2a_relay_disk_free_bytes": "1073741824x20", "a2a_relay_disk_high_water_bytes": "268435456x20"}),
    "ReserveGivenUp": ("a has no space held back for results on a full disk",
                       {"a2a_relay_disk_reserve_held": "1x8 0x11"},
                       {"a2a_relay_disk_reserve_held": "1x12 0x7"}),
    "WorkspacesFailed": ("a: 2 workspaces are closed for good",
                         {"a2a_relay_workspace_files_failed": "0x18 2 2"},
                         {"a2a_relay_workspace_files_failed": "2x18 0 0"}),
    "MessagesUnansweredForLong": (
        "a: a message waits for 1h 0m 1s", {"a2a_relay_oldest_unanswered_age_seconds": "3601x20"},
        {"a2a_relay_oldest_unanswered_age_seconds": "0x15 3601x3"}),
    "MessagesDie": ("a: messages have used up their attempts",
                    {'a2a_relay_messages_ended_total{reason="dead"}': "0x15 2 2 2 2"},
                    {'a2a_relay_messages_ended_total{reason="expired"}': "0x15 2 2 2 2"},
                    {"reason": "dead"}),
    "AnswersNotFetched": (
        "a: an answer has not been read for 1d 0h 0m 1s",
        {"a2a_relay_oldest_unreceived_age_seconds": "86401x20"},
        {"a2a_relay_oldest_unreceived_age_seconds": "0x15 86401x3"}),
    "RefusesForWantOfRoom": (
        "a refuses with queue_full", {'a2a_relay_refusals_total{code="queue_full"}': "0+12x20"},
        {'a2a_relay_refusals_total{code="bad_request"}': "0+12x20"}, {"code": "queue_full"}),
    "ManyUnauthorized": (
        "a: 6 calls a second without a valid credential",
        {'a2a_relay_refusals_total{code="unauthorized"}': "0+360x20"},
        {'a2a_relay_refusals_total{code="unauthorized"}': "0+300x20"}, {"code": "unauthorized"}),
    "ClockJumped": ("a: the wall clock was set", {"a2a_relay_clock_jumps_total": "0x15 1 1 1 1"},
                    {"a2a_relay_clock_jumps_total": "1x20"}),
}


def written():
    """Of each alert in the file: its severity and its runbook."""
    found = re.findall(r"- alert: (\w+)\n(.*?)(?=\n      - alert|\Z)", RULES.read_text(), re.S)
    return {name: (re.search(r"severity: (\w+)", text)[1], re.search(r"runbook: (\S+)", text)[1])
            for name, text in found}


def case(name, summary, fires, quiet, labels=None):
    """Two tests of promtool's: on the first series the alert fires, on the second it does not."""
    severity, runbook = written()[name]
    expected = {"exp_labels": {"severity": severity, "instance": "a", **(labels or {})},
                "exp_annotations": {"summary": summary, "runbook": runbook}}
    for series, alerts in ((fires, [expected]), (quiet, [])):
        given = []
        for metric, values in series.items():
            family, _, own = metric.rstrip("}").partition("{")
            own = ",".join(filter(None, ['instance="a"', own]))
            given.append({"series": f"{family}{{{own}}}", "values": values})
        yield {"interval": "1m", "input_series": given, "alert_rule_test": [
            {"eval_time": f"{MINUTES}m", "alertname": name, "exp_alerts": alerts}]}


def fired(path, command):
    """Each rule of the file on series that it is for, and on series that it is not for."""
    check(set(written()) == set(ALERTS), f"without a case: {set(written()) ^ set(ALERTS)}")
    tests = [test for name, of in ALERTS.items() for test in case(name, *of)]
    file = path / "cases.yaml"

    def tested(tests):
        # YAML is a superset of JSON.
        file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m",
                                    "tests": tests}))
        return tool(command, "test", "rules", str(file))
    code, told = tested(tests)
    check(code == 0, f"promtool test rules: {told}")
    # The control: what is expected on the one series, on the other.
    for one, other in zip(tests[::2], tests[1::2]):
        code, _ = tested([one | {"input_series": other["input_series"]}])
        check(code != 0, f"promtool finds nothing wrong with a wrong expectation: {one}")
    say(f"{len(ALERTS)} alerts fire when they should, and only then")


def promtool(scratch_path):
    found = shutil.which("promtool")
    if found:
        return found
    fetched = subprocess.run(["apt-get", "download", "prometheus"], cwd=scratch_path,
                             capture_output=True, text=True)
    packages = list(scratch_path.glob("prometheus_*.deb"))
    if not packages:
        skip("alerts", f"no promtool, and no package of it: {fetched.stderr.strip()[-200:]}")
    subprocess.run(["dpkg", "-x", str(packages[0]), str(scratch_path)], check=True)
    return str(scratch_path / "usr/bin/promtool")


def tool(command, *arguments, text=None):
    done = subprocess.run([command, *arguments], input=text, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def run(_):
    path = scratch("alerts")
    command = promtool(path)
    code, told = tool(command, "check", "rules", str(RULES))
    check(code == 0, f"promtool check rules: {told}")
    say(told.splitlines()[-1].strip())
    fired(path, command)

    relay = Relay(path / "data", args=["--metrics-per-workspace", "10"]).start()
    identity, token = relay.workspace("na\"me\\")
    with relay.client(relay.admin) as admin:
        sent = admin.call("POST", f"/w/{identity}/", {
            "jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {
                "message": {"kind": "message", "role": "user", "messageId": "m",
                            "parts": [{"kind": "text", "text": "x"}]},
                "configuration": {"blocking": False}}})
        check(sent.status == 200, f"sending: {sent}")
        page = admin.call("GET", "/metrics")
        check(page.status == 200, f"/metrics: {page}")
        text = bytes(page.body).decode()
    code, told = tool(command, "check", "metrics", text=text)
    check(code == 0, f"promtool check metrics: {told}")
    code, _ = tool(command, "check", "metrics", text=text.replace("# TYPE", "# TIPE", 1) + "x{")
    check(code != 0, "promtool takes what is no metrics page")
    say(f"{text.count('# TYPE')} families, as Prometheus reads them")
    relay.stop()


if __name__ == "__main__":
    main(run)
